"""Folders and paths: odd names, names that collide, several cards, folders in a circle."""

from __future__ import annotations

import pytest

from ptpfast import ObjectInfo
from ptpfast.filesystem import tree
from ptpfast.filesystem.tree import Node, Tree
from ptpfast.library.plan import naming
from ptpfast.ptp.objects import Description

CARD1, CARD2 = 0x00010001, 0x00020001
FOLDER = 0x3001


def folder(name: str, parent: int = 0, storage_id: int = CARD1) -> Description:
    return Description(storage_id, FOLDER, 0, 0, parent, name, "", "")


def file(handle: int, name: str, parent: int = 0, storage_id: int = CARD1) -> ObjectInfo:
    return ObjectInfo(handle, name, name, 10, 0x3801, storage_id=storage_id, parent=parent)


def paths(node: Node, start: str = "") -> dict[str, int]:
    """Path → handle of everything below a node."""
    found = {}
    for part, child in node.children.items():
        found[f"{start}/{part}"] = child.handle
        found |= paths(child, f"{start}/{part}")
    return found


def test_one_card_has_its_folders_at_the_root() -> None:
    tree = Tree([CARD1], [file(3, "A.NEF", 2)], {1: folder("DCIM"), 2: folder("100X", 1)})
    assert paths(tree.root(None)) == {"/DCIM": 1, "/DCIM/100X": 2, "/DCIM/100X/A.NEF": 3}
    assert tree.find("/card1/DCIM/100X/A.NEF").handle == 3
    assert tree.find("/").children.keys() == {"DCIM"}


def two_cards() -> Tree:
    folders = {1: folder("DCIM"), 2: folder("DCIM", 0, CARD2)}
    files = [file(3, "A.NEF", 1), file(4, "A.NEF", 2, CARD2), file(5, "B.NEF", 2, CARD2)]
    return Tree([CARD1, CARD2], files, folders)


def test_equal_paths_on_two_cards_are_told_apart_by_the_card() -> None:
    tree = two_cards()
    assert set(paths(tree.root(None))) == {
        *("/card1", "/card1/DCIM", "/card1/DCIM/A.NEF"),
        *("/card2", "/card2/DCIM", "/card2/DCIM/A.NEF", "/card2/DCIM/B.NEF"),
    }
    assert tree.find("/card2/DCIM/A.NEF").handle == 4


def test_a_path_without_a_card_works_if_it_is_on_one_card_only() -> None:
    tree = two_cards()
    assert tree.find("/DCIM/B.NEF").handle == 5
    with pytest.raises(FileNotFoundError, match=r"/card1/DCIM/A\.NEF and /card2/DCIM/A\.NEF"):
        tree.find("/DCIM/A.NEF")


@pytest.mark.parametrize("storage", [2, CARD2])
def test_a_chosen_card_is_the_root_by_slot_or_by_id(storage: int) -> None:
    tree = two_cards()
    assert set(paths(tree.root(storage))) == {"/DCIM", "/DCIM/A.NEF", "/DCIM/B.NEF"}
    assert tree.find("/DCIM/A.NEF", storage).handle == 4
    with pytest.raises(FileNotFoundError, match="no card 3"):
        tree.root(3)


def test_a_name_from_the_camera_is_one_part_of_a_path_and_never_leaves_its_folder() -> None:
    names = ["a/b", "..", ".", "", "a\\b", "x\0y", "\x1b[31m", "~", "-rf", "con", "ü?*.JPG"]
    tree = Tree([CARD1], [file(9 + n, name, 1) for n, name in enumerate(names)], {1: folder("..")})
    assert sorted(paths(tree.root(None)).values()) == [1, *range(9, 9 + len(names))]
    for path in paths(tree.root(None)):
        assert not {"", ".", ".."} & set(path.split("/")[1:])
        assert path.isprintable()
        assert path.count("/") <= 2


def test_names_that_collide_are_numbered_in_the_order_of_the_listing() -> None:
    same = [file(5, "A.NEF"), file(6, "a.nef"), file(7, "A.NEF"), file(8, "A-1.NEF")]
    tree = Tree([CARD1], same, {1: folder("A.NEF")})
    assert paths(tree.root(None)) == {
        "/A.NEF": 1,
        "/A-1.NEF": 5,
        "/a-2.nef": 6,
        "/A-3.NEF": 7,
        "/A-1-1.NEF": 8,
    }


@pytest.mark.parametrize("parent", [0, 0xFFFFFFFF, CARD1, 3, 999])
def test_an_object_without_a_known_folder_is_at_the_root(parent: int) -> None:
    assert paths(Tree([CARD1], [file(3, "A.NEF", parent)], {}).root(None)) == {"/A.NEF": 3}


def test_folders_in_a_circle_and_too_many_in_each_other_keep_their_files() -> None:
    circle = {1: folder("A", 3), 2: folder("B", 1), 3: folder("C", 2)}
    chain = {10 + n: folder("D", 9 + n) for n in range(200)}
    files = [file(5000, "X.NEF", 3), file(5001, "Y.NEF", 209)]
    for folders in (circle | chain, dict(reversed((circle | chain).items()))):
        found = paths(Tree([CARD1], files, folders).root(None))
        assert sorted(found.values()) == [1, 2, 3, *range(10, 210), 5000, 5001]
        assert max(path.count("/") for path in found) < 100


def test_a_missing_path_says_that_objects_were_left_out() -> None:
    for failures, hint in [(0, ""), (1, " (1 object of the card could not be described)")]:
        with pytest.raises(FileNotFoundError) as caught:
            Tree([CARD1], [], {}, failures).find("/A.NEF")
        assert caught.value.strerror == f"no such file on the card{hint}"


def test_many_files_of_one_name_are_numbered_without_a_look_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = []

    def numbered(name: str, number: int) -> str:
        names.append(name)
        return naming.numbered(name, number)

    monkeypatch.setattr(tree, "numbered", numbered)
    card = Node(0, 0)
    for number in range(1000):
        card.add("A.JPG" if number % 2 else "a.jpg", Node(number, 0))
    assert len(card.children) == 1000
    assert len(names) < 2000
