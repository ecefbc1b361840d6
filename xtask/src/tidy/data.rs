use super::files::File;
use super::finding::Finding;

const MOST_BYTES: usize = 5_000_000;
const FOLDERS: [&str; 3] = ["fixtures", "corpora", "corpus"];

/// A clone stays small: fixtures and corpora have a budget together.
pub(super) fn check(files: &[File], findings: &mut Vec<Finding>) {
    let data = files.iter().filter(|file| is_data(&file.path));
    let bytes: usize = data.map(|file| file.bytes.len()).sum();
    if bytes > MOST_BYTES {
        let message = format!("{bytes} bytes of test data with all corpora, at most {MOST_BYTES}");
        findings.push(Finding::error("fixtures", message));
    }
}

fn is_data(path: &str) -> bool {
    path.split('/').any(|part| FOLDERS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(sizes: &[(&str, usize)]) -> usize {
        let file = |(path, size): &(&str, usize)| File { path: (*path).into(), bytes: vec![0; *size] };
        let mut findings = Vec::new();
        check(&sizes.iter().map(file).collect::<Vec<_>>(), &mut findings);
        findings.len()
    }

    #[test]
    fn data_of_all_folders_counts_together() {
        assert_eq!(findings(&[("fixtures/a", MOST_BYTES), ("src/b", MOST_BYTES)]), 0);
        assert_eq!(findings(&[("fixtures/a", MOST_BYTES), ("fuzz/corpora/x/b", 1)]), 1);
    }
}
