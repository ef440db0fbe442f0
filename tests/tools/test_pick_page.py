"""The page of `pick` in a browser: keys, filters, previews, downloads, and that all can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import programs
from browser import SCHEMES, SIZES, Opening, chromium, ready
from conftest import Cameras, Sessions
from pages import Gate, Held, Opened, picking
from ptpfast.sim import Store
from raw_files import jpeg
from watched import bytes_of, contents, files_in

pytestmark = [pytest.mark.tools, pytest.mark.interop]

LARGE = 24_000_000
HOSTILE = (
    "<img src=x onerror=alert(1)>.JPG",
    "</title><script>alert(2)<\u2044script>.JPG",
    "'\"><svg onload=alert(3)>.NEF",
    "javascript:alert(4).JPG",
    "\u202egpj.exe.JPG",
)


@pytest.fixture
def opened() -> Iterator[Opening]:
    with chromium() as opening:
        yield opening


@pytest.fixture
def landscapes(tmp_path: Path) -> Store:
    programs.module("PIL", "Pillow")
    import photos

    return photos.folder_of(tmp_path / "card", 24)


def name_of(page: Any) -> str:
    """The picture that the keys move from."""
    text = page.locator(".tile.active .name").text_content()
    assert isinstance(text, str)
    return text


def wait_until_at(page: Any, name: str) -> None:
    """Wait until the keys move from that picture: the page shows it at its next frame."""
    page.locator(".tile.active .name", has_text=name).wait_for()


def selected(page: Any) -> list[str]:
    found: list[str] = page.locator(".tile[aria-selected=true] .name:visible").all_text_contents()
    return sorted(found)


def shown(page: Any) -> int:
    return int(page.locator(".tile:visible").count())


@pytest.fixture
def run(camera: Cameras, connect: Sessions, tmp_path: Path) -> Iterator[Opened]:
    with picking(connect, camera(objects=40, size=2000), tmp_path / "to") as opened:
        opened.page.wait_until_listed(20)
        yield opened


def test_keys_move_select_and_download(run: Opened, opened: Opening, tmp_path: Path) -> None:
    page = opened(run.page.address)
    ready(page, 20)
    keys = page.keyboard.press
    wait_until_at(page, "IMG_0001")
    for key, name in (
        ("ArrowRight", "IMG_0002"),
        ("End", "IMG_0020"),
        ("Home", "IMG_0001"),
        ("ArrowDown", "IMG_0008"),
        ("ArrowUp", "IMG_0001"),
    ):
        keys(key)
        assert name_of(page) == name
    keys("ArrowRight")
    keys(" ")
    assert selected(page) == ["IMG_0002"]
    keys("ArrowRight")
    keys("Shift+ArrowRight")
    keys("Shift+ArrowRight")
    assert selected(page) == [f"IMG_000{n}" for n in (2, 3, 4, 5)]
    keys("Escape")
    assert selected(page) == []
    keys("a")
    assert len(selected(page)) == 20
    keys("a")
    assert selected(page) == []
    keys(" ")
    keys("d")
    page.locator("#transfer-title", has_text="Downloaded").wait_for()
    assert sorted(path.name for path in files_in(tmp_path / "to")) == [
        "IMG_0005.DNG",
        "IMG_0005.JPG",
    ]
    assert selected(page) == []
    assert page.problems == []


def test_the_pointer_selects_by_the_circle_and_opens_by_the_picture(
    run: Opened, opened: Opening
) -> None:
    page = opened(run.page.address)
    ready(page, 20)
    tiles = page.locator(".tile")
    tiles.nth(2).locator(".frame").click(position={"x": 90, "y": 90})
    page.locator("#viewer[open]").wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("#viewer[open]").count()
    page.locator("#p2 .check").click()
    page.locator("#p6 .check").click(modifiers=["Shift"])
    assert selected(page) == [f"IMG_000{n}" for n in (2, 3, 4, 5, 6)]
    page.locator("#p3 .frame").click(position={"x": 90, "y": 90})
    assert "IMG_0003" not in selected(page)


def test_filters_show_what_they_say(
    landscapes: Store, camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    with picking(connect, camera(store=landscapes), tmp_path / "to") as run:
        run.page.wait_until_listed(24)
        page = opened(run.page.address)
        ready(page, 24)
        assert shown(page) == 24
        page.locator("#day").select_option(index=1)
        assert shown(page) == 8
        page.locator("#day").select_option(index=0)
        page.locator("#kind").select_option("raw")
        assert shown(page) == 20
        page.locator("#kind").select_option(index=0)
        page.keyboard.press("/")
        page.locator("#find").fill("dsc_1007.n")
        assert shown(page) == 1
        assert page.locator("#count").text_content() == "1 of 24 pictures"
        page.locator("#find").fill("nothing")
        assert page.locator("#empty-text").text_content() == "No picture matches the filters."
        page.locator("#empty-clear").click()
        assert shown(page) == 24
        page.locator("#protected").check(force=True)
        assert shown(page) == 2
        page.locator("#protected").uncheck(force=True)
        page.locator("#p1 .check").click()
        page.keyboard.press("d")
        page.locator("#transfer-title", has_text="Downloaded").wait_for()
        page.locator("#new").check(force=True)
        assert shown(page) == 23
        assert page.problems == []


def test_ratings_filter_where_the_camera_tells_them(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    sim = camera(body="sony-a7m4", objects=12, size=2000)
    for stars, stored in enumerate(sim.store.files()[::2]):
        sim.rate(stored.handle, stars)
    with picking(connect, sim, tmp_path / "to") as run:
        run.page.wait_until_listed(6)
        page = opened(run.page.address)
        ready(page, 6)
        options = page.locator("#rating option").all_text_contents()
        assert options == [
            "Any rating",
            "1 star or more (5)",
            *(f"{stars} stars or more ({6 - stars})" for stars in (2, 3, 4)),
            "5 stars (1)",
        ]
        page.locator("#rating").select_option("3")
        assert page.locator(".stars:visible").all_text_contents() == ["★3", "★4", "★5"]
        assert "3 stars" in page.locator(".tile:visible").first.get_attribute("aria-label")
        page.keyboard.press("Escape")
        page.locator("#sheet").focus()
        page.keyboard.press("Enter")
        assert "3 stars" in page.locator("#viewer-text").text_content()
        # These files have no preview.
        assert not [each for each in page.problems if "Failed to load" not in each]


def test_name_of_a_protected_and_rated_picture_is_whole_on_a_phone(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    sim = camera(body="sony-a7m4", objects=2, size=2000)
    folder = sim.store.files()[0].parent
    sim.rate(sim.store.add("DSC09999.JPG", 2000, parent=folder, protected=True), 5)
    with picking(connect, sim, tmp_path / "to") as run:
        run.page.wait_until_listed(2)
        page = opened(run.page.address, 400)
        ready(page, 2)
        assert page.locator(".lock:visible").count() == 1
        assert page.locator(".stars:visible").all_text_contents() == ["★5"]
        is_whole = page.locator(".name:visible").evaluate_all(
            "names => names.map(name => name.scrollWidth <= name.clientWidth)"
        )
        assert is_whole == [True, True]


def test_no_rating_is_shown_where_the_camera_tells_none(run: Opened, opened: Opening) -> None:
    page = opened(run.page.address)
    ready(page, 20)
    assert page.locator("#rating:visible").count() == 0
    assert page.locator(".stars:visible").count() == 0


@pytest.mark.parametrize("body", ["nikon-z9", "canon-r6m2", "sony-a7m4"])
def test_a_new_shot_comes_into_the_open_page(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening, body: str
) -> None:
    sim = camera(body=body, objects=80, size=2000)
    with picking(connect, sim, tmp_path / "to") as run:
        run.page.wait_until_listed(40)
        page = opened(run.page.address, 800)
        ready(page, 12)
        page.locator("#order").select_option("newest")
        page.locator("#p30 .check").click()
        page.keyboard.press("PageDown")
        active, top = ".tile.active .frame", "element => element.getBoundingClientRect().top"
        before = page.locator(active).evaluate(top)
        sim.capture()
        page.locator("#say", has_text="1 new picture").wait_for()
        for _ in range(3):  # a whole row
            sim.capture()
        page.locator("#count", has_text="44 pictures").wait_for()
        assert page.locator(active).evaluate(top) == before  # what is looked at stays
        assert page.locator("#chosen-text").text_content().startswith("1 picture ")
        page.keyboard.press("Home")
        page.locator("#p44 .image[src]:visible").wait_for()
        assert page.problems == []


def test_a_preview_is_the_picture_in_the_raw_file(
    landscapes: Store, camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    sim = camera(store=landscapes)
    with picking(connect, sim, tmp_path / "to") as run:
        run.page.wait_until_listed(24)
        page = opened(run.page.address)
        ready(page, 24)
        page.keyboard.press("Enter")
        page.locator("#viewer-image:not(.small)").wait_for()
        size = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
        assert page.locator("#viewer-image").evaluate(size) == [1200, 800]
        page.keyboard.press("ArrowRight")
        page.locator("#viewer-name", has_text="DSC_1001").wait_for()
        page.keyboard.press(" ")
        page.locator("#viewer-pick[aria-pressed=true]").wait_for()
        page.keyboard.press("Escape")
        assert selected(page) == ["DSC_1001"]
        assert page.evaluate("document.activeElement.id") == "sheet"
        wait_until_at(page, "DSC_1001")
        assert page.problems == []


@pytest.mark.parametrize(("turned", "size"), [(1, [300, 200]), (6, [200, 300]), (8, [200, 300])])
def test_a_preview_stands_upright_as_the_raw_file_says(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    opened: Opening,
    turned: int,
    size: list[int],
) -> None:
    programs.module("PIL", "Pillow")
    import photos

    store = Store()
    store.add("A.NEF", photos.raw(photos.plain((300, 200)), 200_000, turned))
    store.add("B.NEF", photos.raw(photos.encoded(photos.landscape(1, (300, 200))), 200_000, turned))
    with picking(connect, camera(store=store), tmp_path / "to") as run:
        run.page.wait_until_listed(2)
        page = opened(run.page.address)
        page.locator("#p2").wait_for()
        shape = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
        for name in "AB":  # without EXIF, and with some that has no orientation
            page.keyboard.press("Enter" if name == "A" else "ArrowRight")
            page.locator("#viewer-name", has_text=name).wait_for()
            page.locator("#viewer-image:not(.small)").wait_for()
            page.locator("#viewer-note").wait_for(state="hidden")
            assert page.locator("#viewer-image").evaluate(shape) == size
        page.keyboard.press("z")
        assert not [each for each in page.problems if "Failed to load" not in each]


def test_hostile_names_are_shown_as_text(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    store = Store()
    for name in HOSTILE:
        store.add(name, jpeg(5000))
    with picking(connect, camera(store=store), tmp_path / "to") as run:
        run.page.wait_until_listed(len(HOSTILE))
        page = opened(run.page.address)
        ready(page, len(HOSTILE))
        names = page.locator(".tile:visible .name").all_text_contents()
        assert "<img src=x onerror=alert(1)>" in names
        assert page.locator(".tile .name *").count() == 0
        page.keyboard.press("Enter")
        page.locator("#viewer[open]").wait_for()
        assert page.locator("script").count() == 1
        assert not [each for each in page.problems if "Failed to load" not in each]


def test_the_page_says_that_the_camera_is_lost_and_goes_on(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    opened: Opening,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, gate = Held(monkeypatch), Gate(monkeypatch, 500_000)
    sim = camera(objects=4, size=8_000_000, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path / "to", chunk=1 << 18) as run:
        run.page.wait_until_listed(2)
        page = opened(run.page.address)
        ready(page, 2)
        page.keyboard.press("a")
        page.keyboard.press("d")
        page.locator("#pause", has_text="Pause").wait_for()
        gate.wait()
        sim.drop_connections()
        gate.open()
        page.locator("#notice[data-state=lost]", has_text="does not answer").wait_for()
        held.release()
        page.locator("#transfer-title", has_text="Downloaded").wait_for()
        page.locator("#link[data-state=ready]").wait_for()
        assert page.problems == []
    assert sorted(p.read_bytes() for p in files_in(tmp_path / "to")) == sorted(contents(sim))


def test_a_download_is_paused_and_resumed_by_a_button(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    opened: Opening,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, 500_000)
    sim = camera(objects=1, size=LARGE, bytes_per_s=20_000_000)
    with picking(connect, sim, tmp_path / "to", chunk=1 << 18) as run:
        run.page.wait_until_listed(1)
        page = opened(run.page.address)
        ready(page)
        page.keyboard.press("a")
        page.locator("#download").click()
        gate.wait()
        page.locator("#pause", has_text="Pause").click()
        page.locator("#pause", has_text="Resume").wait_for()
        gate.open()
        page.keyboard.press("p")
        page.locator("#transfer-title", has_text="Downloaded").wait_for()
        assert page.problems == []
    (path,) = files_in(tmp_path / "to")
    assert path.read_bytes() == bytes_of(sim.store, sim.store.files()[0].handle)


def test_the_page_says_that_ptpfast_has_ended(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    with picking(connect, camera(), tmp_path) as run:
        run.page.wait_until_listed(2)
        page = opened(run.page.address)
        ready(page, 2)
    page.locator("#notice", has_text="ptpfast has ended").wait_for()
    assert page.problems == []


def test_of_thousands_of_pictures_few_are_elements_of_the_page(
    camera: Cameras, connect: Sessions, tmp_path: Path, opened: Opening
) -> None:
    with picking(connect, camera(objects=6000, size=1000), tmp_path) as run:
        run.page.wait_until_listed(3000)
        page = opened(run.page.address)
        ready(page, 20)
        for key in ("End", "Home", "End"):
            page.keyboard.press(key)
            assert page.locator(".tile").count() < 150
        wait_until_at(page, "IMG_3000")
        page.locator(".tile.active .image[src]:visible").wait_for()
        page.keyboard.press("a")
        assert "3,000 pictures" in page.locator("#chosen-text").text_content()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SIZES)
def test_axe_finds_nothing_that_keeps_people_out(
    landscapes: Store,
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    opened: Opening,
    width: int,
    scheme: str,
) -> None:
    programs.module("axe_playwright_python", "axe-playwright-python")
    from axe_playwright_python.sync_playwright import Axe

    def findings(page: Any) -> list[str]:
        return [
            f"{each['impact']}: {each['id']}: {each['nodes'][0]['html']}"
            for each in Axe().run(page).response["violations"]
        ]

    sim = camera(body="sony-a7m4", store=landscapes)
    for number, stored in enumerate(landscapes.files()):
        sim.rate(stored.handle, number % 6)
    with picking(connect, sim, tmp_path / "to") as run:
        run.page.wait_until_listed(24)
        page = opened(run.page.address, width, scheme)
        ready(page, 6)
        assert page.locator(".stars:visible").count()
        assert findings(page) == []
        page.locator("#p2 .check").click()
        page.keyboard.press("d")
        page.locator("#transfer-title", has_text="Downloaded").wait_for()
        page.locator("#p5 .check").click()
        assert findings(page) == []
        page.keyboard.press("Enter")
        page.locator("#viewer-image:not(.small)").wait_for()
        assert findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.locator("#keys[open]").wait_for()
        assert findings(page) == []
        assert page.problems == []
