"""Label tables as spreadsheets, other languages' settings and other systems' disks write them."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

import pytest

from soundproof.core.errors import DataError
from soundproof.folders.label_table import read_labels
from soundproof.folders.layouts import Event, LabelledFile

SUFFIXES = frozenset({".wav"})
EXPECTED = [
    LabelledFile(path="a.wav", split="train", label="normal"),
    LabelledFile(
        path="b.wav",
        split="test",
        label="anomaly",
        anomaly_type="leak, slow",
        events=(Event(0.5, 1.25), Event(8.5, 9.0, 100.0, 2000.5)),
    ),
]
COMMAS = """path,label,split,anomaly_type,onset_s,offset_s,low_hz,high_hz
a.wav,normal,train,,,,,
b.wav,anomaly,test,"leak, slow",8.5,9,100,2000.5
b.wav,anomaly,test,"leak, slow",0.5,1.25,,
"""
SEMICOLONS = """path;label;split;anomaly_type;onset_s;offset_s;low_hz;high_hz
a.wav;normal;train;;;;;
b.wav;anomaly;test;leak, slow;8,5;9;100;2000,5
b.wav;anomaly;test;leak, slow;0,5;1,25;;
"""


def table(folder: Path, content: str | bytes) -> Path:
    for name in ("a.wav", "b.wav"):
        (folder / name).touch()
    path = folder / "labels.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def labels(folder: Path, content: str | bytes) -> list[LabelledFile]:
    return read_labels(table(folder, content), folder, SUFFIXES)


def every_line(text: str, end: str) -> str:
    return "".join(f"{line}{end}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        COMMAS,
        COMMAS.replace("\n", "\r\n"),
        COMMAS.replace("\n", "\r"),
        codecs.BOM_UTF8 + COMMAS.encode(),
        COMMAS.encode("utf-16"),
        codecs.BOM_UTF16_BE + COMMAS.encode("utf-16-be"),
        every_line(COMMAS, ","),
        every_line(COMMAS, ",,,"),
        # trailing commas in the rows alone, or in the header alone
        COMMAS.replace(",,,,,\n", ",,,,,,\n").replace("2000.5\n", "2000.5,\n"),
        COMMAS.replace("high_hz\n", "high_hz,\n"),
        COMMAS.replace(",,,,,\n", "\n"),
        COMMAS.replace(",", " , ").replace("leak ,  slow", "leak, slow"),
        "\n\n" + COMMAS.replace("\n", "\n\n"),
        COMMAS.replace("path,label", "Path,LABEL"),
        COMMAS.replace("path", '"path"').replace("a.wav", '"a.wav"'),
        SEMICOLONS,
        "sep=;\r\n" + SEMICOLONS.replace("\n", "\r\n"),
        codecs.BOM_UTF8 + b"sep=;\r\n" + SEMICOLONS.encode(),
        SEMICOLONS.replace(";", "\t"),
        SEMICOLONS.replace(";", "|"),
        SEMICOLONS.replace(";", "\t").encode("utf-16"),
        every_line(SEMICOLONS, ";;"),
        SEMICOLONS.replace("8,5", "8.5"),
        COMMAS.replace("a.wav", "a.wav\u00a0"),
        COMMAS.replace("a.wav", ".\\a.wav"),
    ],
)
def test_tables_that_say_the_same_are_read_the_same(content: str | bytes, tmp_path: Path) -> None:
    assert labels(tmp_path, content) == EXPECTED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # a decimal comma among commas gives a field too many
        ("path,label,onset_s,offset_s\nb.wav,anomaly,8,5,9\n", "row 2 has 5 fields.*decimal point"),
        ("path,label\na.wav,normal\nb.wav,anomaly,leak, slow\n", "row 3 has 4 fields.*in quotes"),
        (
            "path;label;split\na.wav;normal;train;x\n",
            "row 2 has 4 fields parted by semicolons.*have no column",
        ),
        ("path;label;onset_s;offset_s\nb.wav;anomaly;1,000;2,000\n", "'1,000' in row 2.*decimal point"),
        ('path,label,onset_s,offset_s\nb.wav,anomaly,"8,5",9\n', "'8,5' in row 2.*decimal point"),
        ("path,label,onset_s,offset_s\nb.wav,anomaly,1_0,12\n", "'1_0' in row 2"),
        ("path,label,onset_s,offset_s\nb.wav,anomaly,0:08,9\n", "'0:08' in row 2"),
        ("path,label,onset_s,offset_s\nb.wav,anomaly,-1,9\n", "onset_s '-1'.*row 2.*0 <= onset_s"),
        ("path,label\na.wav,normal\n,\n", "row 3 of .*nothing but delimiters.*remove the row"),
        ("path,label\na.wav,normal\n,,,,\n", "row 3 of"),
        ("path;label\na.wav;normal\n\n;\n", "row 4 of"),
        ("path,label\na.wav,normal\n,normal\n", "path '' in row 3"),
        ("path,label\na.wav,normal\nb.wav,\n", "label of 'b.wav'.*'' in row 3"),
        ("path,label\na.wav,normal\nb.wav\n", "label of 'b.wav'.*'' in row 3"),
        (
            "path,label\na.wav,normal\na.wav,anomaly\n",
            r"its rows differ: \['anomaly', 'normal'\] in rows 2, 3",
        ),
        ("path,label\na.wav,normal\nb.wav,normal\na.wav,normal\n", r"2 rows without event \(rows 2, 4\)"),
        ("path,label,label\na.wav,normal,anomaly\n", "column 'label'.*there twice"),
        ("path,label,Label\na.wav,normal,anomaly\n", "column 'label'.*there twice"),
        (",path,label\n0,a.wav,normal\n", r"column 1 of .*'0' in row 2.*index=False"),
        ("path,label,,split\na.wav,normal,x,train\n", "column 3 of .*'x' in row 2"),
        ("a.wav,normal\nb.wav,anomaly\n", "the columns of .*name the columns in the first row"),
        ("path:label\na.wav:normal\n", "first row of path:label.*parted by commas"),
        ("path label\na.wav normal\n", "first row of path label"),
        ("path,lable\na.wav,normal\n", "column 'label'.*rename 'lable' to 'label'"),
        ("path\na.wav\n", "column 'label'.*add that column"),
        ("path,label,onsets_s\na.wav,normal,\n", "did you mean 'onset_s'"),
        ("path,label\n", "no rows"),
        ("", "nothing in it"),
        ("\n\n", "nothing in it"),
        ('path,label\n"a.wav,normal\nb.wav,anomaly\n', "row 2.*close every quote"),
        ('path,label\na.wav,normal\n"b.wav,anomaly\n', "row 3.*close every quote"),
        ('path,label\na.wav,normal\nb"x".wav,"anomaly', "row 3.*close every quote"),
        (b"path,label\na.wav,normal\nL\xfcfter.wav,normal\n", "byte 0xfc in row 3.*CSV UTF-8"),
        ("path,label\na.wav,normal\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"PK\x03\x04rest of a workbook", "a workbook"),
        ("path,label\nA.wav,normal\n", r"path 'A\.wav' in row 2.*did you mean 'a\.wav'"),
        ("path,label\nc/d/e.wav,normal\n", "no such clip.*correct the path or remove the row"),
        ("path,label\n/a.wav,normal\n", "row 2.*not a path inside"),
        ("path,label\nlabels.csv,normal\n", "row 2.*not a clip"),
    ],
)
def test_what_cannot_be_read_is_refused_with_row_and_remedy(
    content: str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"(?s){said}"):
        labels(tmp_path, content)


NFC = unicodedata.normalize("NFC", "Lüfter é.wav")
NFD = unicodedata.normalize("NFD", NFC)


@pytest.mark.parametrize(("on_disk", "in_table"), [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD)])
def test_either_spelling_of_a_name_finds_the_file(on_disk: str, in_table: str, tmp_path: Path) -> None:
    (tmp_path / on_disk).touch()
    found = labels(tmp_path, f"path,label\n{in_table},normal\n")
    assert [file.path for file in found] == [on_disk]


def test_where_both_spellings_are_there_each_is_its_own(tmp_path: Path) -> None:
    (tmp_path / NFC).touch()
    (tmp_path / NFD).touch()
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes both for one name")
    found = labels(tmp_path, f"path,label\n{NFC},normal\n{NFD},anomaly\n")
    assert {file.path: file.label for file in found} == {NFC: "normal", NFD: "anomaly"}


def test_a_name_that_is_not_there_is_shown_letter_by_letter(tmp_path: Path) -> None:
    (tmp_path / NFC.replace("é", "e")).touch()
    with pytest.raises(
        DataError, match=r"(?s)spelled Lu\\u0308fter e\\u0301\.wav.*did you mean .*L\\xfcfter e\.wav"
    ):
        labels(tmp_path, f"path,label\n{NFD},normal\n")


def test_either_spelling_of_a_kind_is_one_kind(tmp_path: Path) -> None:
    rows = "".join(f"b.wav,anomaly,{kind[:-4]},{n},{n}.5\n" for n, kind in enumerate((NFC, NFD)))
    found = labels(tmp_path, "path,label,anomaly_type,onset_s,offset_s\n" + rows)
    assert found[0].anomaly_type == NFC[:-4]
