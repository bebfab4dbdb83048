int append(int total, int item) { return total < item ? item : total + 1; }
