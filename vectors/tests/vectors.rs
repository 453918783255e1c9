//! Every vector is read, in both directions, and every file has its form.

use peerproof_vectors::{
    SCHEMA, VectorError, VectorFile, Verdict, files, load_all, messages, verify,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files and cases. Whoever adds vectors counts them here, so that none is lost unnoticed.
const FILES: usize = 31;
const CASES: usize = 513;

#[test]
fn every_vector_agrees_with_its_wire_format_in_both_directions() {
    let (mut cases, mut disagreements) = (0, Vec::new());
    let files = load_all().expect("every embedded file has its form");
    for file in &files {
        let outcomes = verify(file).expect("every message has a wire format");
        assert_eq!(outcomes.len(), file.cases.len());
        cases += outcomes.len();
        for outcome in outcomes {
            if let Some(disagreement) = outcome.disagreement {
                disagreements.push(format!("{}/{}: {disagreement}", file.message, outcome.case));
            }
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} disagreements:\n{}",
        disagreements.len(),
        disagreements.join("\n")
    );
    assert_eq!((files.len(), cases), (FILES, CASES));
}

#[test]
fn every_file_of_the_folder_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut on_disk = BTreeSet::new();
    for protocol in fs::read_dir(folder).expect("the crate's folder") {
        let protocol = protocol.expect("an entry").path();
        let name = protocol
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        if !protocol.is_dir() || ["src", "tests", "examples", "target"].contains(&name.as_str()) {
            continue;
        }
        for file in fs::read_dir(&protocol).expect("a protocol's folder") {
            let file = file
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name");
            on_disk.insert(format!("{name}/{file}"));
        }
    }
    let embedded: BTreeSet<String> = files().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(embedded, on_disk);
}

#[test]
fn every_wire_format_has_vectors_of_each_kind_it_can_have() {
    let files = load_all().expect("every embedded file has its form");
    for (protocol, message) in messages() {
        let file = files
            .iter()
            .find(|file| file.protocol == protocol && file.message == message);
        let file = file.unwrap_or_else(|| panic!("no vectors of {protocol}/{message}"));
        let has = |verdict| file.cases.iter().any(|case| case.result == verdict);
        assert!(has(Verdict::Valid) && has(Verdict::Invalid), "{message}");
        let bencoded = matches!(
            message,
            "bencode"
                | "metainfo"
                | "extension-handshake"
                | "ut-metadata"
                | "ut-pex"
                | "http-announce-response"
                | "http-scrape-response"
        );
        assert_eq!(
            has(Verdict::Tolerated),
            bencoded,
            "{message}: what is tolerated is a matter of bencoding"
        );
    }
}

#[test]
fn vectors_of_one_message_are_of_that_message() {
    for file in load_all().expect("every embedded file has its form") {
        let of_several = ["ut-metadata", "udp-tracker-request", "udp-tracker-response"];
        if of_several.contains(&file.message.as_str()) || file.message.starts_with("http-") {
            continue;
        }
        for case in &file.cases {
            if let Some(name) = case.value.as_ref().and_then(|value| value.get("type")) {
                assert_eq!(name, file.message.as_str(), "{}", case.id);
            }
        }
    }
}

#[test]
fn every_file_satisfies_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is one");
    for (name, text) in files() {
        let file: Value = serde_json::from_str(text).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&file)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is one");
    let satisfies = |text: &str| validator.is_valid(&serde_json::from_str(text).expect("JSON"));
    let sound = SOUND.replace(
        "CASE",
        r#"{"id": "a", "bytes": "00", "result": "valid", "value": {}}"#,
    );
    assert!(satisfies(&sound));
    assert!(VectorFile::parse("p/m.json", &sound).is_ok());
    let broken = [
        r#"{"id": "a", "bytes": "0", "result": "valid", "value": {}}"#,
        r#"{"id": "a", "bytes": "zz", "result": "valid", "value": {}}"#,
        r#"{"id": "a", "bytes": "00", "result": "valid"}"#,
        r#"{"id": "a", "bytes": "00", "result": "maybe", "value": {}}"#,
        r#"{"id": "a", "bytes": "00", "result": "invalid", "value": {}}"#,
        r#"{"id": "a", "bytes": "00", "result": "invalid", "error": {"class": "x"}}"#,
        r#"{"id": "a", "bytes": "00", "result": "tolerated", "value": {}}"#,
        r#"{"id": "a", "bytes": "00", "result": "valid", "value": {}, "coment": "x"}"#,
        r#"{"id": "a", "bytes": "00", "result": "valid", "value": {}, "error": {"class": "x", "offset": 0}}"#,
        r#"{"id": "a", "bytes": "00", "result": "valid", "value": {}, "context": {"peices": 1}}"#,
    ];
    for case in broken {
        let text = SOUND.replace("CASE", case);
        assert!(!satisfies(&text), "{case}");
        assert!(VectorFile::parse("p/m.json", &text).is_err(), "{case}");
    }
}

const SOUND: &str = r#"{
    "$schema": "../schema.json", "protocol": "p", "message": "m", "bytes_are": "x",
    "source": {"document": "x", "section": "x"}, "flags": {}, "cases": [CASE]
}"#;

#[test]
fn a_broken_file_is_named_with_its_case() {
    let case = r#"{"id": "a", "bytes": "00", "result": "valid", "value": {}}"#;
    let twice = SOUND.replace("CASE", &format!("{case}, {case}"));
    let error = VectorFile::parse("p/m.json", &twice).expect_err("an id occurs twice");
    assert_eq!(error.to_string(), "p/m.json: case `a`: the id occurs twice");
    let flagged = SOUND.replace(
        "CASE",
        &case
            .replace('}', "")
            .replace("{\"id", "{\"flags\": [\"f\"], \"id"),
    );
    let flagged = flagged.replace("\"value\": {", "\"value\": {}}");
    let error = VectorFile::parse("p/m.json", &flagged).expect_err("a flag is not explained");
    assert_eq!(
        error.to_string(),
        "p/m.json: case `a`: the file does not explain the flag `f`"
    );
    let error =
        VectorFile::parse("p/x.json", &SOUND.replace("CASE", case)).expect_err("another name");
    assert_eq!(
        error.to_string(),
        "p/x.json: the file says that it is `p/m.json`"
    );
    let unread =
        VectorFile::parse("p/m.json", &SOUND.replace("CASE", case)).expect("its form is right");
    assert!(
        matches!(verify(&unread), Err(VectorError::File { .. })),
        "a vector that nothing reads is an error"
    );
    let cut = VectorFile::parse("p/m.json", "{\n  \"protocol\": ").expect_err("no JSON");
    assert!(matches!(cut, VectorError::Form { line: 2, .. }), "{cut}");
}

#[test]
fn a_wrong_vector_is_found_out() {
    let (name, text) = files()
        .iter()
        .find(|(name, _)| name.ends_with("/have.json"))
        .expect("vectors of have");
    let sound = VectorFile::parse(name, text).expect("its form is right");
    let broken = |change: &dyn Fn(&mut VectorFile)| {
        let mut file = sound.clone();
        change(&mut file);
        verify(&file)
            .expect("a wire format")
            .iter()
            .filter(|outcome| outcome.disagreement.is_some())
            .count()
    };
    assert_eq!(broken(&|_| {}), 0);
    assert_eq!(
        broken(&|file| file.cases[0].value = Some(serde_json::json!({"type": "have", "piece": 6}))),
        1
    );
    assert_eq!(
        broken(&|file| file.cases[0].bytes = "000000050400000006".to_owned()),
        1
    );
    assert_eq!(
        broken(&|file| file.cases[0].canonical = Some("00".to_owned())),
        1
    );
    assert_eq!(broken(&|file| file.cases[0].result = Verdict::Invalid), 1);
    let last = sound.cases.len() - 1;
    assert_eq!(broken(&|file| file.cases[last].result = Verdict::Valid), 1);
    assert_eq!(
        broken(&|file| file.cases[last]
            .error
            .iter_mut()
            .for_each(|error| error.offset += 1)),
        1
    );
    assert_eq!(
        broken(&|file| file.cases[last]
            .error
            .iter_mut()
            .for_each(|error| error.class.push('x'))),
        1
    );
}
