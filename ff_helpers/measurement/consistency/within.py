"""How many successes a part of some rows can hold, where only the counts of all rows are known."""


def successes_within(k: int, n: int, part: int) -> tuple[int, int]:
    """Return the fewest and the most successes among `part` of n rows, where k of the n are successes.

    The other n - part rows hold at most n - part successes, so at least k - (n - part) are left for the
    part; and it holds at most k, and at most as many as it has rows. Every whole number between the two
    occurs in some arrangement of the rows: if they are 0 and `part`, the counts allow every rate.

    Source: Horowitz and Manski 1995, doi:10.2307/2951627 (bounds where it is not known which data are bad).

    Raises:
        ValueError: k is not from 0 to n, or part not from 1 to n.
    """
    if not (0 <= k <= n and 0 < part <= n):
        raise ValueError(f"k = {k}, n = {n}, part = {part}: k must be from 0 to n, part from 1 to n")
    return max(0, k - (n - part)), min(k, part)
