int append(int total, int item);

int evaluate(int steps)
{
    int total = 0;
    for (int step = 0; step < steps; step++)
        total = append(total, step);
    return total;
}
