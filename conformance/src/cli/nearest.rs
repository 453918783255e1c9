//! What somebody may have meant who typed a name that does not exist.

/// The most names to suggest.
const SUGGESTIONS: usize = 3;

/// How alike two names must be to be suggested, from 0 to 1.
const ALIKE: f64 = 0.6;

/// The names nearest to the typed one, nearest first: those that contain it, or differ in a few letters.
pub(super) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A pattern is compared by its letters.
    let typed = typed.replace(['*', '?', '[', ']', '{', '}'], "");
    if typed.is_empty() {
        return Vec::new();
    }
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(&typed, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.truncate(SUGGESTIONS);
    scored.into_iter().map(|(_, name)| name).collect()
}

/// `did you mean X or Y? `, or nothing.
pub(super) fn hint<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = nearest(typed, names);
    if nearest.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    format!("did you mean {}? ", quoted.join(" or "))
}

/// From 0 to 1; the last part of a path may be typed alone.
fn likeness(typed: &str, name: &str) -> f64 {
    if name.contains(typed) {
        return 1.0;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    strsim::normalized_damerau_levenshtein(typed, name)
        .max(strsim::normalized_damerau_levenshtein(typed, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let names = ["bittorrent-seeder", "bittorrent-leecher", "kad"];
        assert_eq!(nearest("bittorent-seder", names)[0], "bittorrent-seeder");
        assert_eq!(nearest("leecher", names), ["bittorrent-leecher"]);
        assert_eq!(nearest("zzz", names), [""; 0]);
        assert_eq!(nearest("*", names), [""; 0]);
        let ids = ["a/request/beyond-the-end", "a/request/zero-length"];
        assert_eq!(nearest("beyond-the-edn", ids), ["a/request/beyond-the-end"]);
        assert_eq!(nearest("*request/*", ids), ids);
    }
}
