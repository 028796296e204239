"""What several files of tests share: small studies, clips, maps, detectors, data sets, servers."""
