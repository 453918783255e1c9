//! The canonical encoder.

use super::Value;
use std::collections::btree_map;
use std::slice;

/// What is left to write of one open list or dictionary.
enum Open<'a> {
    List(slice::Iter<'a, Value>),
    Dict(btree_map::Iter<'a, Vec<u8>, Value>),
}

/// Appends the canonical bytes of `value` to `out`. Works without recursion, like the decoder.
pub fn encode_into(value: &Value, out: &mut Vec<u8>) {
    let mut open = Vec::new();
    write_start(value, out, &mut open);
    while let Some(innermost) = open.last_mut() {
        let next = match innermost {
            Open::List(items) => items.next(),
            Open::Dict(entries) => entries.next().map(|(key, value)| {
                write_bytes(key, out);
                value
            }),
        };
        match next {
            Some(value) => write_start(value, out, &mut open),
            None => {
                out.push(b'e');
                open.pop();
            }
        }
    }
}

fn write_start<'a>(value: &'a Value, out: &mut Vec<u8>, open: &mut Vec<Open<'a>>) {
    match value {
        Value::Integer(integer) => {
            out.push(b'i');
            write_integer(*integer, out);
            out.push(b'e');
        }
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::List(list) => {
            out.push(b'l');
            open.push(Open::List(list.iter()));
        }
        Value::Dict(dict) => {
            out.push(b'd');
            open.push(Open::Dict(dict.iter()));
        }
    }
}

fn write_integer(integer: i64, out: &mut Vec<u8>) {
    if integer < 0 {
        out.push(b'-');
    }
    write_decimal(integer.unsigned_abs(), out);
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_decimal(bytes.len() as u64, out);
    out.push(b':');
    out.extend_from_slice(bytes);
}

/// Writes decimal digits without the formatting machinery, which would dominate the cost of short strings.
fn write_decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}
