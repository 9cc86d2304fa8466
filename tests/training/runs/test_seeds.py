"""Seeds of a training: another one at each point and in each process, and always the same."""

from unified_blocks.training.runs.seeds import seed_at


def test_seeds_differ_and_repeat():
    points = [(seed, updates, rank) for seed in (0, 1) for updates in (0, 1, 9) for rank in (0, 1)]
    found = [seed_at(*point) for point in points]
    assert len(set(found)) == len(points)
    assert found == [seed_at(*point) for point in points]
    assert all(0 <= seed < 2**32 for seed in found)
