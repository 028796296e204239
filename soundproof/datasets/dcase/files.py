"""Which archives hold a machine, and where they are; checksums are those that somebody published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from soundproof.datasets.dcase.editions import Edition, Part
from soundproof.datasets.remote_file import RemoteFile

UNPACKED_LIMIT_BYTES = 8_000_000_000
"""More than three times the largest machine: uncompressed sound hardly shrinks in a zip."""


@dataclass(frozen=True)
class Archive:
    """A zip of one machine, and the Zenodo record it is in."""

    remote: RemoteFile
    record: int

    @property
    def stem(self) -> str:
        """Name of the folder it is unpacked to."""
        return self.remote.name.removesuffix(".zip")


def archives(edition: Edition, part: Part, machine: str) -> tuple[Archive, ...]:
    """Return the archives of a machine: one of the development set, or training and test of the evaluation."""
    if part == "dev":
        name = f"dev_data_{machine}" if edition.year <= 2021 else f"dev_{machine}"
        return (_archive(edition.year, edition.dev_record, name),)
    if edition.year == 2020:
        names = (f"eval_data_train_{machine}", f"eval_data_test_{machine}")
    else:
        second = "_r2" if (edition.year, machine) in _SECOND_RELEASE else ""
        names = (f"eval_data_{machine}_train{second}", f"eval_data_{machine}_test")
    records = (edition.train_record, edition.test_record)
    return tuple(_archive(edition.year, record, name) for record, name in zip(records, names, strict=True))


def _archive(year: int, record: int, stem: str) -> Archive:
    name = f"{stem}.zip"
    urls = (
        f"https://zenodo.org/records/{record}/files/{name}?download=1",
        f"https://zenodo.org/api/records/{record}/files/{name}/content",
    )
    n_bytes, md5 = PUBLISHED.get((year, stem), (None, None))
    return Archive(RemoteFile(name, urls, n_bytes=n_bytes, md5=md5), record)


def truth_archive(edition: Edition) -> RemoteFile:
    """Return the evaluator's repository; nobody published a checksum, so the first download is pinned."""
    name = f"{edition.truth_source.split('/')[1]}.zip"
    return RemoteFile(name, (f"https://github.com/{edition.truth_source}",))


_SECOND_RELEASE = frozenset({(2024, "3DPrinter"), (2024, "RoboticArm")})

PUBLISHED: Mapping[tuple[int, str], tuple[int | None, str]] = {
    (2020, "dev_data_fan"): (1354774772, "649bdfc06263ae7a838963f43b6641e6"),
    (2020, "dev_data_pump"): (1031279015, "90e7091ef722b7238a7f1009365779cd"),
    (2020, "dev_data_slider"): (1002998966, "da24a757719f0d94d5aa2d646bbfdc86"),
    (2020, "dev_data_ToyCar"): (1816443231, "4dec75ca8d9f666aa9e4c1894a740501"),
    (2020, "dev_data_ToyConveyor"): (1868564070, "03b6aa1bfd09a39d53af0ba39f71fa91"),
    (2020, "dev_data_valve"): (1013925627, "34d2672f55bb041589ef79c10dc89934"),
    (2020, "eval_data_train_fan"): (697147242, "567798854130c8019df8b664c095ed1e"),
    (2020, "eval_data_train_pump"): (590897096, "4e33ae9c0db5cc88437675f5e317caee"),
    (2020, "eval_data_train_slider"): (577515541, "f84f186f4295fc23754abcdd1b0580a7"),
    (2020, "eval_data_train_ToyCar"): (861354584, "a5d4ccd498af70b04dd74b644b820006"),
    (2020, "eval_data_train_ToyConveyor"): (887026878, "0e808ac0b761e9fb13d5e0c65caff00d"),
    (2020, "eval_data_train_valve"): (615645426, "057cdd560caffb8305449541afd28c6d"),
    (2020, "eval_data_test_fan"): (None, "1eb9356a768cadfd0f2e59a5c57e578b"),
    (2020, "eval_data_test_pump"): (None, "23a8f8f924be218c69df67fe07360348"),
    (2020, "eval_data_test_slider"): (None, "0193c769073840332ce3aad84b1ccaa2"),
    (2020, "eval_data_test_ToyCar"): (None, "bea2bdd612f616be8f2b8eb087b32c7c"),
    (2020, "eval_data_test_ToyConveyor"): (None, "ccfcc9847c7d3404d7ee9d6d9e0b2ba2"),
    (2020, "eval_data_test_valve"): (None, "f69c551d2088691050d20cccca9d631c"),
    (2023, "dev_bearing"): (None, "8a813bc8d8f156b5395bfccdfac7673c"),
    (2023, "dev_fan"): (None, "9348591e96fb0ad499a1e33b082562fc"),
    (2023, "dev_gearbox"): (None, "b6e55f6a31faa0fc8569ec0afdd53ccf"),
    (2023, "dev_slider"): (None, "b3f8dee36b4718c36d659a4fd1c4afe0"),
    (2023, "dev_ToyCar"): (None, "4e3bf15f4101ed4ed4f1fecde2e2b2a3"),
    (2023, "dev_ToyTrain"): (None, "6b02a6c65eebb3b8b1ae59a6b25bb897"),
    (2023, "dev_valve"): (None, "b2051a2022eadb53cd97581120811cae"),
    (2023, "eval_data_bandsaw_train"): (None, "9274dfe63de028743823f1123f8b4b47"),
    (2023, "eval_data_grinder_train"): (None, "17569c1f9df23621a0dbabc430684a35"),
    (2023, "eval_data_shaker_train"): (None, "35f821b5645b731fb5a1750e33b95fc3"),
    (2023, "eval_data_ToyDrone_train"): (None, "7fea367d1384a1521ae24f72203238de"),
    (2023, "eval_data_ToyNscale_train"): (None, "9332822f3e47afd984c01f2ecb5ca3af"),
    (2023, "eval_data_ToyTank_train"): (None, "b1fd3ab7de7561290df2d477de1c9d33"),
    (2023, "eval_data_Vacuum_train"): (None, "1c8de33d9a8c7850a1f7aaddb97d87be"),
    (2023, "eval_data_bandsaw_test"): (None, "2a8e8f39f6584ab366a8f4da52d4d7a6"),
    (2023, "eval_data_grinder_test"): (None, "631b3e1608b6077772829a6e68c82c77"),
    (2023, "eval_data_shaker_test"): (None, "ba98c98caa96051ec80e24e44b8fca56"),
    (2023, "eval_data_ToyDrone_test"): (None, "fdae7b8d1f4cadb2bea88bc93e2367db"),
    (2023, "eval_data_ToyNscale_test"): (None, "62f5f5043d8fb3a305b1c2e1025872de"),
    (2023, "eval_data_ToyTank_test"): (None, "f5639bf58c47169c622751f19c6fc321"),
    (2023, "eval_data_Vacuum_test"): (None, "a32524fd8c45b574a560685b38acc4e1"),
}
"""Size, where known, and MD5 by year and name; of other archives the record is asked before the download."""
