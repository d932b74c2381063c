"""Operations for operators, with one folder per concern."""
