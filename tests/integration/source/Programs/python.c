int evaluate(int steps);

int main(void) { return evaluate(1000) == 0; }
