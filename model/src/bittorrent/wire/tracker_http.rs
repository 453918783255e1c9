//! Trackers over HTTP: the query of the GET request and the bencoded body of the reply (BEP 3, 7, 23, 24, 31, 48).

mod query;
mod reply;

pub use query::{
    QUERY_LIMIT, decode_announce, decode_scrape, encode_announce, encode_scrape, scrape_path,
};
pub use reply::{
    decode_announce_response, decode_announce_response_tolerant, decode_scrape_response,
    decode_scrape_response_tolerant, encode_announce_response, encode_scrape_response,
};
