"""placeholder"""


def write(run: object) -> str:
    return ""
