"""pip installs the package, and what it installed runs without the build folder on any path."""

import os
import subprocess
import sys


def test_pip_installs_what_runs(root, tmp_path, monkeypatch):
    # Of the build that is there, so that it takes seconds.
    monkeypatch.setenv("NEGATRON_BUILD_DIR", os.environ["NEGATRON_BUILD"])
    monkeypatch.delenv("PYTHONPATH")
    source = tmp_path / "checkout"
    # pip leaves build folders behind where it builds: in a copy, whose library is the checkout.
    (source / "launch").mkdir(parents=True)
    for name in ("samplers", "comm", "runtime", "CMakeLists.txt"):
        (source / name).symlink_to(root / name)
    subprocess.run(["cp", "-r", root / "launch" / "python", source / "launch" / "python"], check=True)
    command = [sys.executable, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    done = subprocess.run([*command, "--target", tmp_path / "site", source / "launch" / "python"], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    script = (
        "import negatron, negatron.lightly, torch\n"
        "bank = negatron.Bank(negatron.init(), 20, 8)\n"
        "print(negatron.__file__, negatron.ContrastiveLoss(bank)(torch.eye(8), torch.eye(8)).item() > 0)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    output = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, check=True, cwd=tmp_path).stdout
    assert output.split() == [str(tmp_path / "site" / "negatron" / "__init__.py"), "True"]
    assert (tmp_path / "site" / "negatron" / "py.typed").is_file()
    assert (tmp_path / "site" / "negatron" / "_core.pyi").is_file()
