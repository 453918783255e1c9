//! Reading metainfo.

use super::{Content, FileEntry, Info, Metainfo, MetainfoError, MetainfoErrorClass, PieceLayout};
use crate::bencode::{Decoder, Limits, Strictness, Tolerance, Value};
use crate::bittorrent::wire::ErrorClass;
use crate::bittorrent::wire::fields::Fields;

fn decoder(strictness: Strictness) -> Decoder {
    Decoder {
        limits: Limits::FILE,
        strictness,
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Metainfo, MetainfoError> {
    Ok(read(bytes, Strictness::Strict)?.0)
}

pub(super) fn parse_tolerant(bytes: &[u8]) -> Result<(Metainfo, Vec<Tolerance>), MetainfoError> {
    read(bytes, Strictness::Tolerant)
}

/// Reads a raw `info` value.
pub(super) fn info(raw_info: &[u8], strictness: Strictness) -> Result<Info, MetainfoError> {
    read_info(&Fields::decode(decoder(strictness), raw_info)?)
}

fn read(bytes: &[u8], strictness: Strictness) -> Result<(Metainfo, Vec<Tolerance>), MetainfoError> {
    let fields = Fields::decode(decoder(strictness), bytes)?;
    let announce = fields.parsed("announce", text)?;
    let announce_list = read_tiers(&fields)?;
    fields.dict("info")?.ok_or_else(|| fields.missing("info"))?;
    let raw_info = fields.raw("info").unwrap_or_default();
    let start = fields.span("info").map_or(0, |span| span.start);
    // The value is decoded a second time by itself, so that errors know the places of its entries.
    let info = Fields::decode(decoder(strictness), raw_info)
        .map_err(MetainfoError::from)
        .and_then(|fields| read_info(&fields))
        .map_err(|error| MetainfoError {
            class: error.class,
            offset: error.offset.saturating_add(start),
        })?;
    let metainfo = Metainfo::of(announce, announce_list, info, raw_info.to_vec());
    Ok((metainfo, fields.into_tolerances()))
}

fn text(bytes: &[u8]) -> Option<String> {
    str::from_utf8(bytes).ok().map(str::to_owned)
}

fn read_tiers(fields: &Fields<'_>) -> Result<Vec<Vec<String>>, MetainfoError> {
    const KEY: &str = "announce-list";
    let tiers = fields.list(KEY)?.unwrap_or_default();
    let url = |value: &Value| value.as_bytes().and_then(text);
    let tier = |value: &Value| {
        value
            .as_list()?
            .iter()
            .map(url)
            .collect::<Option<Vec<String>>>()
    };
    let tiers: Option<Vec<_>> = tiers.iter().map(tier).collect();
    Ok(tiers.ok_or_else(|| fields.fault(ErrorClass::WrongType(KEY), KEY))?)
}

fn read_info(fields: &Fields<'_>) -> Result<Info, MetainfoError> {
    let fault = |class, key: &str| MetainfoError {
        class,
        offset: fields.fault(ErrorClass::Truncated, key).offset,
    };
    let name = fields
        .owned_bytes("name")?
        .ok_or_else(|| fields.missing("name"))?;
    if !is_plain_name(&name) {
        return Err(fault(MetainfoErrorClass::PathComponent, "name"));
    }
    let piece_length: u32 = fields
        .number("piece length")?
        .ok_or_else(|| fields.missing("piece length"))?;
    let content = read_content(fields, fault)?;
    let key = if matches!(content, Content::Single(_)) {
        "length"
    } else {
        "files"
    };
    let total = content
        .total_len()
        .ok_or_else(|| fault(MetainfoErrorClass::TotalLength, key))?;
    let out_of_range = || fields.fault(ErrorClass::OutOfRange("piece length"), "piece length");
    let layout = PieceLayout::new(piece_length, total).ok_or_else(out_of_range)?;
    let hashes = fields
        .bytes("pieces")?
        .ok_or_else(|| fields.missing("pieces"))?;
    let (pieces, rest) = hashes.as_chunks::<20>();
    if !rest.is_empty() {
        return Err(fault(MetainfoErrorClass::PiecesLength, "pieces"));
    }
    if pieces.len() != layout.pieces() as usize {
        return Err(fault(MetainfoErrorClass::PieceCount, "pieces"));
    }
    let private = fields.number::<i64>("private")? == Some(1);
    Ok(Info {
        name,
        layout,
        pieces: pieces.to_vec(),
        content,
        private,
    })
}

fn read_content(
    fields: &Fields<'_>,
    fault: impl Fn(MetainfoErrorClass, &str) -> MetainfoError,
) -> Result<Content, MetainfoError> {
    match (fields.number::<u64>("length")?, fields.list("files")?) {
        (Some(length), None) => Ok(Content::Single(length)),
        (None, Some([])) => Err(fault(MetainfoErrorClass::NoFiles, "files")),
        (None, Some(files)) => {
            let files = files.iter().map(read_file).collect::<Result<_, _>>();
            Ok(Content::Multi(
                files.map_err(|class| fault(class, "files"))?,
            ))
        }
        (Some(_), Some(_)) => Err(fault(MetainfoErrorClass::LengthAndFiles, "files")),
        (None, None) => Err(MetainfoError {
            class: MetainfoErrorClass::NoContent,
            offset: 0,
        }),
    }
}

fn read_file(value: &Value) -> Result<FileEntry, MetainfoErrorClass> {
    use ErrorClass::{MissingKey, OutOfRange, WrongType};
    let field = MetainfoErrorClass::Field;
    value.as_dict().ok_or(field(WrongType("files")))?;
    let length = value.get("length").ok_or(field(MissingKey("length")))?;
    let length = length.as_integer().ok_or(field(WrongType("length")))?;
    let path = value.get("path").ok_or(field(MissingKey("path")))?;
    let components = path.as_list().ok_or(field(WrongType("path")))?;
    let mut path = Vec::with_capacity(components.len());
    for component in components {
        let component = component.as_bytes().ok_or(field(WrongType("path")))?;
        if !is_plain_name(component) {
            return Err(MetainfoErrorClass::PathComponent);
        }
        path.push(component.to_vec());
    }
    if path.is_empty() {
        return Err(MetainfoErrorClass::PathComponent);
    }
    Ok(FileEntry {
        length: u64::try_from(length).map_err(|_| field(OutOfRange("length")))?,
        path,
    })
}

/// Whether a name stays inside the directory that it is put in.
fn is_plain_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}
