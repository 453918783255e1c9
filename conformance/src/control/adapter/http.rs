//! Requests to a node that has a server of its own.

use std::time::Duration;

use super::reading::Answer;

/// The most bytes of an answer.
const MOST_ANSWER: u64 = 1 << 20;

/// Makes a request. The first line of the answer is `HTTP` and its status, then come the lines of its body.
pub(super) fn ask(
    method: &str,
    url: &str,
    body: Option<(&str, &str)>,
    patience: Duration,
) -> Answer {
    match exchange(method, url, body, patience) {
        Ok((status, text)) => {
            let lines =
                std::iter::once(format!("HTTP {status}")).chain(text.lines().map(str::to_owned));
            let failure = (status >= 400).then(|| format!("it answered with status {status}"));
            let lines = lines.collect();
            Answer { lines, failure }
        }
        Err(error) => Answer {
            lines: Vec::new(),
            failure: Some(error.to_string()),
        },
    }
}

fn exchange(
    method: &str,
    url: &str,
    body: Option<(&str, &str)>,
    patience: Duration,
) -> Result<(u16, String), ureq::Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let request = ureq::http::Request::builder().method(method).uri(url);
    let mut response = match body {
        Some((kind, body)) => agent.run(request.header("content-type", kind).body(body)?)?,
        None => agent.run(request.body(())?)?,
    };
    let status = response.status().as_u16();
    let bytes = response
        .body_mut()
        .with_config()
        .limit(MOST_ANSWER)
        .read_to_vec()?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request with these bytes; what was asked.
    fn server(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        let serve = move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut asked = Vec::new();
            let mut buffer = [0; 1024];
            // A head may come without its body.
            let is_whole = |asked: &[u8]| {
                let end: &[u8] = if asked.starts_with(b"POST") {
                    b"}"
                } else {
                    b"\r\n\r\n"
                };
                asked.ends_with(end)
            };
            while !is_whole(&asked) {
                let count = stream.read(&mut buffer).expect("a request");
                asked.extend_from_slice(&buffer[..count]);
            }
            // Who has read enough goes away.
            let _ = stream.write_all(answer);
            String::from_utf8_lossy(&asked).into_owned()
        };
        (url, std::thread::spawn(serve))
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn the_status_is_the_first_line() {
        let (url, served) = server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\nno\nsuch");
        let answer = ask("GET", &url, None, PATIENCE);
        assert_eq!(answer.lines, ["HTTP 404", "no", "such"]);
        assert_eq!(
            answer.failure.as_deref(),
            Some("it answered with status 404")
        );
        assert!(
            served
                .join()
                .expect("served")
                .starts_with("GET /x HTTP/1.1\r\n")
        );
    }

    #[test]
    fn a_body_is_sent_with_its_kind() {
        let (url, served) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        let answer = ask(
            "POST",
            &url,
            Some(("application/json", "{\"a\": 1}")),
            PATIENCE,
        );
        assert_eq!((answer.lines.len(), answer.failure), (2, None));
        let asked = served.join().expect("served").to_lowercase();
        assert!(asked.contains("content-type: application/json"), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{\"a\": 1}"), "{asked}");
    }

    #[test]
    fn who_does_not_stop_talking_is_cut_off() {
        let (url, served) = server(Box::leak(
            [
                b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(),
                &vec![b'x'; 3 << 20],
            ]
            .concat()
            .into(),
        ));
        let answer = ask("GET", &url, None, PATIENCE);
        assert!(answer.failure.is_some() && answer.lines.is_empty());
        served.join().expect("served");
    }

    #[test]
    fn nobody_there_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        drop(listener);
        assert!(ask("GET", &url, None, PATIENCE).failure.is_some());
    }
}
