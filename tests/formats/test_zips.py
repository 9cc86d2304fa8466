"""What an archive of PyTorch may be."""

import struct
import zipfile

import pytest

from testbed.hostile import measured, read_all
from testbed.torch_files import STORAGE, of_pickle, state, tensor
from unified_blocks.errors import FileFormatError
from unified_blocks.formats.pytorch import archive as torch_pt


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.pt"


def test_a_torchscript_program(path):
    of_pickle(path, state(), {"code/__torch__.py": b"", "constants.pkl": b""})
    with pytest.raises(FileFormatError, match=r"TorchScript program; save torch\.jit\.load"):
        torch_pt.read(path)


@pytest.mark.parametrize("names", [(), ("a/data.pkl", "b/data.pkl"), ("a/b/data.pkl",)], ids=str)
def test_there_must_be_one_pickle(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "3")
        for name in names:
            archive.writestr(name, state())
    with pytest.raises(FileFormatError, match=r"must have one member data\.pkl in its folder"):
        torch_pt.read(path)


def test_two_members_of_one_name(path):
    with pytest.warns(UserWarning, match="Duplicate"):
        of_pickle(path, state()[:-1] + b".", {"data.pkl": state()})
    with pytest.raises(FileFormatError, match=r"two members are called archive/data\.pkl"):
        torch_pt.read(path)


def test_a_zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", state(tensor(2**22, size=(2**22,), stride=(1,))))
        archive.writestr("archive/data/0", bytes(2**24))
    assert measured(torch_pt, path) is None
    with pytest.raises(FileFormatError, match="a zip file must hold at most 10 times its own"):
        torch_pt.read(path)


def test_a_bomb_that_lies_about_its_size(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", state(tensor()))
        archive.writestr("archive/data/0", bytes(2**24))
    data = path.read_bytes().replace(struct.pack("<I", 2**24), struct.pack("<I", 24))
    path.write_bytes(data)
    assert measured(torch_pt, path) is None
    with pytest.raises(FileFormatError, match="does not inflate to the 24 bytes it announces"):
        torch_pt.read(path)


def test_an_encrypted_member(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", state())
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match="stored or deflated, and not encrypted"):
        torch_pt.read(path)


def test_a_byte_order_that_is_none(path):
    of_pickle(path, state(tensor()), STORAGE | {"byteorder": b"middle"})
    with pytest.raises(FileFormatError, match="byteorder must be little or big"):
        torch_pt.read(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"hello world", b"\x80\x04N."], ids=repr)
def test_no_file_of_pytorch(path, content):
    path.write_bytes(content)
    assert read_all(torch_pt, path) is None
