"""Other libraries read pictures and tables from the card through the filesystem.

Those of the dependency group `files` are not needed to develop ptpfast; `make contenders` installs
them.
"""

from __future__ import annotations

import importlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image

from conftest import Cameras, Files
from dng import HEIGHT, WIDTH, dng
from programs import module
from ptpfast.filesystem import PtpIpFileSystem
from ptpfast.sim import Store

CSV = "name,size\n" + "".join(f"DSC_{number:04d}.NEF,{number}\n" for number in range(2000))
SIDE = (640, 480)
MODEL = 0x0110  # EXIF tag
GROUP = "--group files"


def other(name: str) -> Any:
    """The module; skips the test without it, or fails it where it must be there."""
    module(name, GROUP)
    return importlib.import_module(name)


def picture(format: str) -> bytes:
    """A gradient with EXIF."""
    image = Image.merge("RGB", [Image.linear_gradient("L").resize(SIDE)] * 3)
    exif = image.getexif()
    exif[MODEL] = "Simulated Camera"
    file = io.BytesIO()
    image.save(file, format, exif=exif.tobytes())
    return file.getvalue()


@pytest.fixture
def fs(camera: Cameras, files: Files) -> PtpIpFileSystem:
    store = Store()
    folder = store.add_folder("DCIM")
    store.add("A.JPG", picture("JPEG"), parent=folder)
    store.add("A.TIF", picture("TIFF"), parent=folder)
    store.add("A.CSV", CSV.encode(), parent=folder)
    return files(camera(store=store))


def whole(fs: PtpIpFileSystem, path: str) -> io.BytesIO:
    return io.BytesIO(fs.cat_file(path))


@pytest.mark.parametrize("name", ["A.JPG", "A.TIF"])
def test_pillow_opens_a_picture_on_the_card(fs: PtpIpFileSystem, name: str) -> None:
    path = f"/DCIM/{name}"
    assert fs.cat_file(path) == picture("JPEG" if name == "A.JPG" else "TIFF")
    with fs.open(path) as file, Image.open(file) as image, Image.open(whole(fs, path)) as same:
        assert image.size == SIDE
        assert image.getexif()[MODEL] == "Simulated Camera"
        assert image.tobytes() == same.tobytes()


def test_tifffile_reads_an_array_from_the_card(fs: PtpIpFileSystem) -> None:
    tifffile = other("tifffile")
    with fs.open("/DCIM/A.TIF") as file:
        array = tifffile.imread(file)
    assert array.shape == (480, 640, 3)
    assert (array == tifffile.imread(whole(fs, "/DCIM/A.TIF"))).all()


def test_exifread_reads_the_tags_of_a_header(fs: PtpIpFileSystem) -> None:
    exifread = other("exifread")
    with fs.open("/DCIM/A.JPG") as file:
        tags = exifread.process_file(file)
    assert str(tags["Image Model"]) == "Simulated Camera"


def test_rawpy_decodes_a_raw_file_on_the_card(camera: Cameras, files: Files) -> None:
    rawpy = other("rawpy")
    store = Store()
    store.add("A.DNG", dng(40_000, 20_000, 10_000), parent=store.add_folder("DCIM"))
    fs = files(camera(store=store))
    with fs.open("/DCIM/A.DNG") as file, rawpy.imread(file) as raw:
        mosaic = raw.raw_image.copy()
    assert mosaic.shape == (HEIGHT, WIDTH)
    assert mosaic[:2, :2].tolist() == [[40_000, 20_000], [20_000, 10_000]]


def test_rawpy_gets_all_bytes_of_what_is_no_raw_file(fs: PtpIpFileSystem) -> None:
    rawpy = other("rawpy")
    with fs.open("/DCIM/A.CSV") as file:
        with pytest.raises(rawpy.LibRawFileUnsupportedError):
            rawpy.imread(file)
        assert file.tell() == len(CSV)


@pytest.mark.parametrize("name", ["A.JPG", "A.TIF"])
def test_imageio_reads_an_array_and_its_properties(fs: PtpIpFileSystem, name: str) -> None:
    other("imageio")
    v3 = importlib.import_module("imageio.v3")
    with Image.open(whole(fs, f"/DCIM/{name}")) as image:
        same = np.asarray(image)
    with fs.open(f"/DCIM/{name}") as file:
        assert v3.improps(file, plugin="pillow").shape == (480, 640, 3)
    with fs.open(f"/DCIM/{name}") as file:
        assert np.array_equal(v3.imread(file), same)


def test_pandas_reads_a_table_by_its_url(fs: PtpIpFileSystem) -> None:
    pandas = other("pandas")
    with fs.open("/DCIM/A.CSV") as file:
        table = pandas.read_csv(file)
    by_url = pandas.read_csv(fs.unstrip_protocol("/DCIM/A.CSV"), storage_options=fs._options)
    assert table["size"].sum() == sum(range(2000)) == by_url["size"].sum()


def test_dask_reads_blocks_of_files_in_threads(fs: PtpIpFileSystem) -> None:
    dask = other("dask")
    from dask.bytes import read_bytes

    url = fs.unstrip_protocol("/DCIM/A.*")
    _, blocks, paths = read_bytes(
        url, blocksize=10_000, sample=False, include_path=True, **fs._options
    )
    with ThreadPoolExecutor(4) as pool:
        got = dask.compute(*blocks, scheduler="threads", pool=pool)
    for path, parts in zip(paths, got, strict=True):
        assert b"".join(parts) == fs.cat_file(path)
    assert len(paths) == 3


def test_dask_array_computes_over_pictures_that_threads_decode(
    camera: Cameras, files: Files
) -> None:
    dask = other("dask")
    array = importlib.import_module("dask.array")
    shots = [np.full((60, 80, 3), 10 * number, np.uint8) for number in range(6)]
    store = Store()
    folder = store.add_folder("DCIM")
    for number, shot in enumerate(shots):
        encoded = io.BytesIO()
        Image.fromarray(shot).save(encoded, "TIFF")
        store.add(f"DSC_{number}.TIF", encoded.getvalue(), parent=folder)
    fs = files(camera(store=store))

    @dask.delayed
    def decoded(opened: Any) -> np.ndarray:
        with opened as file, Image.open(file) as image:
            return np.asarray(image)

    url = fs.unstrip_protocol("/DCIM/*.TIF")
    blocks = [
        array.from_delayed(decoded(opened), shape=(60, 80, 3), dtype=np.uint8)
        for opened in fsspec.open_files(url, **fs._options)
    ]
    stack = array.stack(blocks)
    with ThreadPoolExecutor(4) as pool:
        mean, crop = dask.compute(
            stack.mean(axis=0), stack[2:4, :5, :5], scheduler="threads", pool=pool
        )
    assert np.array_equal(mean, np.stack(shots).mean(axis=0))
    assert np.array_equal(crop, np.stack(shots)[2:4, :5, :5])


def test_a_local_cache_of_fsspec_keeps_what_was_read(fs: PtpIpFileSystem, tmp_path: Any) -> None:
    url = "simplecache::" + fs.unstrip_protocol("/DCIM/A.JPG")
    options = {"ptpip": fs._options, "simplecache": {"cache_storage": str(tmp_path / "cache")}}
    for _ in range(2):
        with fsspec.open(url, **options) as file:
            assert file.read() == picture("JPEG")
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.read_bytes() == picture("JPEG")
