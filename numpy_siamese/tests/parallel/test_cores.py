"""How many cores there are for this process: affinity, a container's quota, OMP_NUM_THREADS."""

import math
import os

import pytest

from numpy_siamese.parallel import cores
from numpy_siamese.parallel.cores import available_cores, default_threads


def control_groups(root, told, files):
    """Write what the kernel tells a process of its control groups below a folder."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(told)
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return cores._quota(root)


V1 = "7:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n3:cpuset:/docker/1\n1:name=systemd:/docker/1\n"


@pytest.mark.parametrize(
    ("told", "files", "quota"),
    [
        # version 2: a container sees its own group as the root
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        # a service of systemd: its own group, or one above it, has the limit
        ("0::/a.slice/b.service\n", {"a.slice/b.service/cpu.max": "50000 100000\n"}, 0.5),
        (
            "0::/a.slice/b.service\n",
            {"a.slice/cpu.max": "300000 100000\n", "a.slice/b.service/cpu.max": "max 100000\n"},
            3.0,
        ),
        (
            "0::/a.slice/b.service\n",
            {"a.slice/cpu.max": "200000 100000", "a.slice/b.service/cpu.max": "300000 100000"},
            2.0,
        ),
        ("0::/elsewhere\n", {"cpu.max": "400000 100000\n"}, 4.0),
        # both versions at once, version 2 in a folder of its own
        ("4:memory:/\n0::/x\n", {"unified/x/cpu.max": "100000 50000\n"}, 2.0),
        # version 1: in a container the path is the host's
        (V1, {"cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.5),
        (
            V1,
            {
                "cpu,cpuacct/docker/1/cpu.cfs_quota_us": "70000",
                "cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000",
            },
            0.7,
        ),
        (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        # another controller's file of the same name does not count
        (V1, {"memory/docker/1/cpu.max": "100000 100000"}, math.inf),
        ("0::/\n", {"cpu.max": "1 2\n"}, 0.5),
        ("0::/\n", {"cpu.max": "3 1\n"}, 3.0),
        # damaged
        ("0::/\n", {"cpu.max": "0 100000\n"}, math.inf),
        ("0::/\n", {"cpu.max": "１00000 100000\n"}, math.inf),
        ("0::/\n", {"cpu.max": "many\n"}, math.inf),
        ("0::/\n", {"cpu.max": "100000 0\n"}, math.inf),
        ("0::/\n", {}, math.inf),
        ("", {"cpu.max": "100000 100000\n"}, math.inf),
    ],
)
def test_the_quota_of_control_groups(told, files, quota, tmp_path):
    """Broken otherwise: in a container with two cores' time, as many threads run as the host has
    cores, and wait for each other.
    """
    assert control_groups(tmp_path, told, files) == quota


def test_a_system_without_control_groups_has_no_quota(tmp_path):
    """Broken otherwise: nothing runs where there is no /proc."""
    assert cores._quota(tmp_path) == math.inf


@pytest.mark.parametrize(
    ("allowed", "quota", "cores_left"),
    [(8, math.inf, 8), (8, 1.5, 2), (8, 0.2, 1), (2, 3.0, 2), (1, math.inf, 1), (4, 4.0, 4)],
)
def test_the_smaller_of_affinity_and_quota_counts(allowed, quota, cores_left, monkeypatch):
    """Broken otherwise: one of the two is overlooked, or a fraction of a core counts as none."""
    monkeypatch.setattr(cores, "_allowed", lambda: allowed)
    monkeypatch.setattr(cores, "_quota", lambda: quota)
    assert available_cores() == cores_left


@pytest.mark.parametrize(("told", "allowed"), [(3, 3), (None, 1)])
def test_what_python_tells_of_the_process_counts_first(told, allowed, monkeypatch):
    """Broken otherwise: from Python 3.13 on PYTHON_CPU_COUNT has no effect."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: told, raising=False)
    assert cores._allowed() == allowed


@pytest.mark.parametrize(("told", "allowed"), [(3, 3), (None, 1)])
def test_a_system_without_affinity_has_its_cores(told, allowed, monkeypatch):
    """Broken otherwise: nothing runs on macOS, or where the number of cores is not told."""
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert cores._allowed() == allowed


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a call of Linux")
def test_the_affinity_is_heeded():
    """Broken otherwise: `taskset -c 0` gives one core to two threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert available_cores() == default_threads() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("value", "threads"),
    [
        (None, 4),
        ("1", 1),
        ("3", 3),
        ("9", 4),
        ("2,4", 2),
        (" 2 ", 2),
        ("0", 4),
        ("-1", 4),
        ("all", 4),
        ("", 4),
        ("²", 4),
    ],
)
def test_omp_num_threads_limits_the_default(value, threads, monkeypatch):
    """Broken otherwise: a job that was given one thread on a shared machine takes all cores."""
    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    if value is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert default_threads() == threads
