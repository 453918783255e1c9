//! The part of JSON Schema (draft 2020-12) that `schema.json` uses.
//!
//! A complete validator would be the largest dependency of the workspace. Any keyword or pattern that is not known
//! here fails the test, so nothing in the schema is silently left unchecked.

use serde_json::{Map, Value};

/// Where and how `instance` violates `schema`, if it does.
pub(crate) fn violation(schema: &Value, instance: &Value) -> Option<String> {
    check(schema, schema, instance).err()
}

fn check(root: &Value, schema: &Value, instance: &Value) -> Result<(), String> {
    let keywords = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in keywords {
        if !holds(root, keywords, keyword, rule, instance)? {
            let shown: String = instance.to_string().chars().take(200).collect();
            return Err(format!("`{keyword}`: {rule} does not allow {shown}"));
        }
    }
    Ok(())
}

fn holds(
    root: &Value,
    keywords: &Map<String, Value>,
    keyword: &str,
    rule: &Value,
    instance: &Value,
) -> Result<bool, String> {
    let number =
        |rule: &Value| usize::try_from(rule.as_u64().expect("a count")).expect("a small count");
    Ok(match (keyword, instance) {
        ("$schema" | "$defs" | "title" | "description", _) => true,
        ("$ref", _) => {
            let pointer = rule
                .as_str()
                .and_then(|target| target.strip_prefix('#'))
                .expect("a local reference");
            check(
                root,
                root.pointer(pointer).expect("the definition"),
                instance,
            )?;
            true
        }
        ("type", _) => is_of_type(rule.as_str().expect("a type"), instance),
        ("const", _) => rule == instance,
        ("enum", _) => rule.as_array().expect("a list").contains(instance),
        ("minLength", Value::String(text)) => text.chars().count() >= number(rule),
        ("pattern", Value::String(text)) => {
            matches_pattern(rule.as_str().expect("a pattern"), text)
        }
        ("minimum", Value::Number(value)) => value.as_f64() >= rule.as_f64(),
        ("minItems", Value::Array(items)) => items.len() >= number(rule),
        ("uniqueItems", Value::Array(items)) => items
            .iter()
            .enumerate()
            .all(|(at, item)| !items[..at].contains(item)),
        ("items", Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                check(root, rule, item).map_err(|error| format!("[{at}]: {error}"))?;
            }
            true
        }
        ("required", Value::Object(object)) => {
            let names = rule.as_array().expect("a list").iter();
            names
                .map(|name| name.as_str().expect("a name"))
                .all(|name| object.contains_key(name))
        }
        ("minProperties", Value::Object(object)) => object.len() >= number(rule),
        ("propertyNames", Value::Object(object)) => object
            .keys()
            .all(|name| check(root, rule, &Value::String(name.clone())).is_ok()),
        ("properties", Value::Object(object)) => {
            for (name, rule) in rule.as_object().expect("an object") {
                if let Some(value) = object.get(name) {
                    check(root, rule, value).map_err(|error| format!("{name}: {error}"))?;
                }
            }
            true
        }
        ("additionalProperties", Value::Object(object)) => {
            let named = keywords.get("properties").and_then(Value::as_object);
            let mut others = object
                .iter()
                .filter(|(name, _)| !named.is_some_and(|named| named.contains_key(*name)));
            match rule {
                Value::Bool(allowed) => *allowed || others.next().is_none(),
                rule => others.all(|(_, value)| check(root, rule, value).is_ok()),
            }
        }
        ("not", _) => check(root, rule, instance).is_err(),
        ("oneOf", _) => matching(root, rule, instance) == 1,
        ("anyOf", _) => matching(root, rule, instance) > 0,
        (
            "minLength"
            | "pattern"
            | "minimum"
            | "minItems"
            | "uniqueItems"
            | "items"
            | "required"
            | "minProperties"
            | "propertyNames"
            | "properties"
            | "additionalProperties",
            _,
        ) => true,
        (other, _) => panic!("the keyword `{other}` is not known here"),
    })
}

fn matching(root: &Value, schemas: &Value, instance: &Value) -> usize {
    let schemas = schemas.as_array().expect("a list").iter();
    schemas
        .filter(|schema| check(root, schema, instance).is_ok())
        .count()
}

fn is_of_type(name: &str, instance: &Value) -> bool {
    match name {
        "object" => instance.is_object(),
        "array" => instance.is_array(),
        "string" => instance.is_string(),
        "integer" => instance.is_i64() || instance.is_u64(),
        other => panic!("the type `{other}` is not known here"),
    }
}

fn matches_pattern(pattern: &str, text: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match pattern {
        "^([0-9a-f]{2})*$" => {
            text.len().is_multiple_of(2)
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        "^[a-z0-9]+(-[a-z0-9]+)*$" => text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(lower)),
        other => panic!("the pattern `{other}` is not known here"),
    }
}
