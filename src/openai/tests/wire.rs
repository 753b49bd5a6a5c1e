//! What goes over the wire, byte by byte, and what is told of what came back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::config::settings::OpenAiSettings;
use crate::openai::search::Search;
use crate::openai::tests::patience;
use crate::openai::{Client, ErrorKind, Patience};
use crate::secret::Secret;

const KEY: &str = "sk-sentinel-0123456789abcdef";

/// A server that answers the nth request with the nth text (the last one from then on), and keeps what it was sent.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                let number = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request);
                    kept.len() - 1
                };
                let answer = &answers[number.min(answers.len() - 1)];
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.contains("content-length") {
                    let _ = stream.shutdown().await;
                } else {
                    // Unfinished: it stays open until the client goes.
                    let _ = stream.read(&mut [0; 1]).await;
                }
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn client(&self) -> Client {
        self.client_with(&OpenAiSettings::default())
    }

    fn client_with(&self, settings: &OpenAiSettings) -> Client {
        let base_url = format!("{}{}", self.url, settings.base_url);
        let quick = Patience { idle: Duration::from_millis(300), ..patience() };
        let api_key = Some(Secret::new(KEY));
        Client::with_patience(&OpenAiSettings { base_url, api_key, ..settings.clone() }, quick).unwrap()
    }
}

/// Head and body of a request.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return String::from_utf8(read).unwrap();
            }
        }
        match stream.read(&mut chunk).await.unwrap_or(0) {
            0 => return String::from_utf8_lossy(&read).into_owned(),
            count => read.extend_from_slice(&chunk[..count]),
        }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

const MODELS: &str = r#"{"object":"list","data":[]}"#;

#[tokio::test]
async fn a_request_says_who_it_is_for_and_has_an_id_of_its_own() {
    let server = Server::start(vec![answer("500 Oops", "", ""), answer("200 OK", "", MODELS)]).await;
    let settings = OpenAiSettings {
        base_url: "/v1/".to_owned(),
        organization: Some("org-1".to_owned()),
        project: Some("proj_1".to_owned()),
        ..Default::default()
    };
    server.client_with(&settings).models().await.unwrap();
    let requests = server.requests();
    let header = |request: &str, name: &str| {
        request.lines().find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned)).unwrap_or_default()
    };
    for request in &requests {
        assert!(request.starts_with("GET /v1/models HTTP/1.1"), "{request}");
        assert_eq!(header(request, "authorization: "), format!("bearer {KEY}"));
        assert_eq!(header(request, "openai-organization: "), "org-1");
        assert_eq!(header(request, "openai-project: "), "proj_1");
        assert!(header(request, "user-agent: ").starts_with("chatbotctl/"));
        assert_eq!(header(request, "x-client-request-id: ").len(), 32);
    }
    assert_ne!(header(&requests[0], "x-client-request-id: "), header(&requests[1], "x-client-request-id: "));
}

#[tokio::test]
async fn azures_deployment_and_version_stay_in_the_address() {
    let server = Server::start(vec![answer("200 OK", "", r#"{"data":[{"index":0,"embedding":[1]}]}"#)]).await;
    let base_url = "/openai/deployments/mini/?api-version=2025-04-01-preview".to_owned();
    let client = server.client_with(&OpenAiSettings { base_url, ..Default::default() });
    client.embeddings("mini", &["a".to_owned()], None).await.unwrap();
    let _ = client.respond(&serde_json::json!({ "model": "mini" })).await.unwrap();
    let requests = server.requests();
    let begins = |request: &str, path: &str| {
        assert!(request.starts_with(&format!("POST {path}?api-version=2025-04-01-preview HTTP/1.1")), "{request}");
        assert!(request.contains(&format!("api-key: {KEY}")), "{request}");
    };
    begins(&requests[0], "/openai/deployments/mini/embeddings");
    begins(&requests[1], "/openai/responses");
}

/// A redirect would carry the key elsewhere.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(vec![answer("200 OK", "", MODELS)]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}/v1/models\r\n", elsewhere.url);
        let server = Server::start(vec![answer(status, &location, "")]).await;
        let error = server.client().models().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    assert!(elsewhere.requests().is_empty());
}

/// The service repeats whatever it was sent; what is told has none of it. Of a failed attempt nothing is logged but
/// parts of its error.
#[tokio::test]
async fn no_key_is_ever_told() {
    let echo = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {KEY}.","type":"{KEY}","param":"{KEY}","code":"{KEY}"}}}}"#
    );
    let id = format!("x-request-id: {KEY}\r\n");
    for status in ["400 Bad", "401 No", "403 No", "404 No", "429 Slow", "500 Oops"] {
        let server = Server::start(vec![answer(status, &id, &echo)]).await;
        let client = server.client();
        let error = client.models().await.unwrap_err();
        let told = format!("{error} {error:?} {client:?}");
        assert!(!told.contains("sentinel"), "{status}: {told}");
    }
}

/// S11: a refusal may repeat a visitor's words.
#[tokio::test]
async fn words_of_people_are_not_told_by_a_refusal() {
    let body = r#"{"error":{"message":"cannot search for my-private-words","param":"query","code":"invalid_value"}}"#;
    let server = Server::start(vec![answer("400 Bad", "", body)]).await;
    let texts = ["my-private-words".to_owned()];
    let search = Search { query: texts[0].clone(), ..Default::default() };
    let client = server.client();
    let errors = [
        client.search("vs_1", &search).await.unwrap_err(),
        client.embeddings("m", &texts, None).await.unwrap_err(),
        client.moderate("m", &texts).await.unwrap_err(),
        client.add_conversation_items("conv_1", &[serde_json::json!(texts[0])]).await.unwrap_err(),
        client.respond(&serde_json::json!({ "input": texts[0] })).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("private"), "{error:?}");
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some("invalid_value"), Some("query")));
    }
    let odd = Server::start(vec![answer("200 OK", "", r#"{"data":"my-private-words"}"#)]).await;
    let error = odd.client().search("vs_1", &search).await.unwrap_err();
    assert!(error.kind == ErrorKind::Broken && !format!("{error:?}").contains("private"), "{error:?}");
}

/// Servers that have no `param` quote in their words what they refuse: of these only names that we sent are taken.
#[tokio::test]
async fn a_refused_field_is_known_also_where_only_words_name_it() {
    let sent =
        serde_json::json!({ "input": "about `private` things", "tools": [{ "ranking_options": {} }], "top_p": 1 });
    for (words, expected) in [
        ("unknown field `ranking_options`, expected one of `model`", Some("ranking_options")),
        ("Unsupported parameter: 'top_p' is not supported with this model.", Some("top_p")),
        ("what is `private`?", None),
        ("it is too long", None),
    ] {
        let body = serde_json::json!({ "error": { "message": words, "code": null, "param": null } }).to_string();
        let server = Server::start(vec![answer("400 Bad", "", &body)]).await;
        let error = server.client().respond(&sent).await.unwrap_err();
        assert_eq!(error.param.as_deref(), expected, "{words}");
        assert!(!format!("{error} {error:?}").contains("private"), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_is_read_to_a_bound_and_no_further() {
    let server = Server::start(vec![answer("200 OK", "", &"x".repeat(100_000))]).await;
    let client = server.client();
    let error = client.file_content("file-1", 1000).await.unwrap_err();
    assert_eq!((error.kind, server.requests().len()), (ErrorKind::Broken, 1), "{error}");
    assert_eq!(client.file_content("file-1", 100_000).await.unwrap().len(), 100_000);
    let endless = format!("HTTP/1.1 400 Bad\r\ncontent-length: 100000000\r\n\r\n{}", "x".repeat(1_000_000));
    let server = Server::start(vec![endless]).await;
    let error = server.client().models().await.unwrap_err();
    assert!(error.message.chars().count() <= 300, "{error}");
}

#[tokio::test]
async fn an_answer_that_stops_half_way_ends_the_attempt() {
    let unfinished = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{MODELS}\r\n", MODELS.len());
    let server = Server::start(vec![unfinished.clone(), answer("200 OK", "", MODELS)]).await;
    server.client().models().await.unwrap();
    let server = Server::start(vec![unfinished]).await;
    let error = server.client().models().await.unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::TimedOut, Some(200)), "{error}");
    let mut pieces = server.client().respond(&serde_json::json!({})).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), MODELS);
    assert_eq!(pieces.next().await.unwrap_err().kind, ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_proxy_gets_its_password_and_nobody_else_does() {
    let proxy = Server::start(vec![answer("200 OK", "", MODELS), answer("407 No", "", "")]).await;
    let through = |url: &str| {
        let settings = OpenAiSettings {
            base_url: "http://api.example.com/v1".to_owned(),
            api_key: Some(Secret::new(KEY)),
            proxy: Some(Secret::new(url.replace("http://", "http://me:proxy-password@"))),
            ..Default::default()
        };
        Client::with_patience(&settings, patience()).unwrap()
    };
    let client = through(&proxy.url);
    client.models().await.unwrap();
    let request = proxy.requests().remove(0);
    assert!(request.starts_with("GET http://api.example.com/v1/models HTTP/1.1"), "{request}");
    // `me:proxy-password` in base64 (RFC 7617).
    assert!(request.to_lowercase().contains("proxy-authorization: basic bwu6chjvehktcgfzc3dvcmq="), "{request}");
    let refused = client.models().await.unwrap_err();
    assert!(refused.message.contains("proxy"), "{refused}");

    // A port that was free a moment ago: nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = through(&nobody).models().await.unwrap_err();
    let told = format!("{error} {error:?} {refused} {refused:?}");
    assert!(!told.contains("proxy-password") && !told.contains(KEY), "{told}");
    assert!(error.message.contains("through the proxy") && error.kind == ErrorKind::Connection, "{error}");
}
