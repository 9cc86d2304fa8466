"""Tools that pickle the blocks of a program, and its classes: for files, and for other processes.

`testbed/main_blocks.py` is the program. It has a hand-written native model too.
"""

import pytest

from testbed.programs import program


@pytest.mark.parametrize("tool", ["pickle", "cloudpickle"])
def test_models_and_classes_of_a_program_are_pickled_twice(backend_name, tool, tmp_path):
    pytest.importorskip(tool)
    program("main_blocks.py", tool, backend_name, tmp_path)


def test_cloudpickle_sends_a_program_s_classes_along(backend_name, tmp_path):
    pytest.importorskip("cloudpickle")
    program("main_blocks.py", "cloudpickle", backend_name, tmp_path)
    opened = program("open_pickles.py", backend_name, tmp_path)
    assert opened.split()[-1] == str(len(list(tmp_path.glob("*.pickle"))))


def test_joblib_sends_models_to_other_processes_and_back(backend_name, tmp_path):
    pytest.importorskip("joblib")
    program("main_blocks.py", "joblib", backend_name, tmp_path)


def test_multiprocessing_sends_models_and_classes_to_a_spawned_process(backend_name, tmp_path):
    program("main_blocks.py", "multiprocessing", backend_name, tmp_path)
