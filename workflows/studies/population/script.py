def write(run):
    return "print()"
