//! Running vectors through the wire formats.

use crate::codec::{self, Codec, Fault, Strictness};
use crate::file::{Case, VectorError, VectorFile, Verdict};

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The id of the case.
    pub case: String,
    /// Where the wire format and the vector disagree; nothing if they agree.
    pub disagreement: Option<String>,
}

/// Runs every case of a file through the wire format of its message, in both directions.
///
/// Fails if there is no wire format of that message: a vector that nothing reads proves nothing.
pub fn verify(file: &VectorFile) -> Result<Vec<Outcome>, VectorError> {
    let codec = codec::find(&file.protocol, &file.message).ok_or_else(|| VectorError::File {
        file: format!("{}/{}.json", file.protocol, file.message),
        reason: "no wire format reads this message".to_owned(),
    })?;
    let outcome = |case: &Case| Outcome {
        case: case.id.clone(),
        disagreement: run(codec, case).err(),
    };
    Ok(file.cases.iter().map(outcome).collect())
}

fn run(codec: &Codec, case: &Case) -> Result<(), String> {
    let bytes = case.raw();
    let strict = (codec.decode)(&bytes, &case.context, Strictness::Strict);
    match (case.result, strict) {
        (Verdict::Valid, Ok(decoded)) => agree(case, &decoded.value)?,
        (Verdict::Valid, Err(fault)) => return Err(format!("refused: {fault}")),
        (Verdict::Invalid | Verdict::Tolerated, Ok(decoded)) => {
            return Err(format!("accepted as {}", decoded.value));
        }
        (Verdict::Invalid | Verdict::Tolerated, Err(fault)) => same_fault(case, &fault)?,
    }
    let tolerant = (codec.decode)(&bytes, &case.context, Strictness::Tolerant);
    match (case.result, tolerant) {
        (Verdict::Invalid, Ok(_)) => return Err("tolerated".to_owned()),
        (Verdict::Tolerated, Ok(decoded)) => {
            agree(case, &decoded.value)?;
            same_fault(
                case,
                decoded.tolerated.first().ok_or("accepted without a note")?,
            )?;
        }
        (Verdict::Tolerated, Err(fault)) => return Err(format!("not tolerated: {fault}")),
        (Verdict::Valid, Ok(decoded)) if !decoded.tolerated.is_empty() => {
            return Err(format!("accepted with a note: {}", decoded.tolerated[0]));
        }
        (Verdict::Valid, Err(fault)) => {
            return Err(format!("refused by the tolerant decoder: {fault}"));
        }
        (Verdict::Valid, Ok(_)) | (Verdict::Invalid, Err(_)) => {}
    }
    let (Some(value), Some(encode)) = (&case.value, codec.encode) else {
        return Ok(());
    };
    let encoded = encode(value).map_err(|error| format!("`value`: {error}"))?;
    if encoded == case.encoded() {
        Ok(())
    } else {
        Err(format!("the value encodes to {}", hex::encode(encoded)))
    }
}

fn agree(case: &Case, decoded: &serde_json::Value) -> Result<(), String> {
    if case.value.as_ref() == Some(decoded) {
        Ok(())
    } else {
        Err(format!("decoded as {decoded}"))
    }
}

fn same_fault(case: &Case, fault: &Fault) -> Result<(), String> {
    let expected = case.error.as_ref().ok_or("the case has no error")?;
    let same = expected.class == fault.class
        && expected.offset == fault.offset
        && expected.subject.as_deref() == fault.subject;
    if same {
        Ok(())
    } else {
        Err(format!("refused for another reason: {fault}"))
    }
}
