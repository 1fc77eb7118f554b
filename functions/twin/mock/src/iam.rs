//! Login and files (`TS`).

use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::state::{Accepted, File, Shared, seconds};
use super::validation::{Field, Rejection, parse_object, require_login, respond, text, ttl};
use super::{EMAIL, PASSWORD};
use trunkline_mock::now;

const LOGIN: [Field; 5] = [
    Field("email", text, true),
    Field("password", text, true),
    Field("ttl", ttl, false),
    Field("companyId", text, false),
    Field("extra", Value::is_object, false),
];

/// `POST auth/login` (`TS` `Authenticator.php`). Our assumption: 401 for a wrong password.
pub async fn login(Extract(shared): Extract<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    respond(&shared, "login", |state| {
        let body = parse_object(&headers, &body, &LOGIN)?;
        if body["email"] != EMAIL || body["password"] != PASSWORD {
            return Err(Rejection(StatusCode::UNAUTHORIZED, "wrong e-mail or password".into()));
        }
        state.logins += 1;
        let exp = now().as_second() + body["ttl"].as_i64().unwrap_or(3_600);
        let claims = json!({"sub": "17", "jti": state.logins, "exp": exp}).to_string();
        let token = format!("{}.{}.c2ln", base64url(b"{}"), base64url(claims.as_bytes()));
        state.tokens.push(token.clone());
        Ok((StatusCode::OK, json!({"authToken": token, "refreshToken": "r"})))
    })
}

/// `POST files` (`TS`): a form with parts named `file[]`. Our assumption: the files of this account are private.
pub async fn upload(Extract(shared): Extract<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    respond(&shared, "file", |state| {
        require_login(state, &headers)?;
        let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
        let boundary = kind.and_then(|kind| kind.strip_prefix("multipart/form-data; boundary="));
        let boundary = boundary.ok_or_else(|| Rejection::invalid("send a form"))?;
        let (name, kind, content) =
            part(&body, boundary).ok_or_else(|| Rejection::invalid("there is no file[]"))?;
        let id = state.id("f11e0000");
        let link = format!("{}/iam/files/{id}", state.origin);
        let (base, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let described = json!([{
            "id": id, "isPrivate": true, "createdAt": seconds(now()), "contentType": kind,
            "name": name, "baseName": base, "extension": extension,
            "suggestedExtension": extension, "path": "p", "size": content.len(), "url": link,
            "downloadLink": link, "ownerId": 17,
        }]);
        let body = json!({"name": name, "contentType": kind});
        state.accepted.push(Accepted { what: "file", session: id.clone(), body });
        state.files.push(File { id, name, kind, content });
        Ok((StatusCode::CREATED, described))
    })
}

/// Returns the name, type and content of a form's first part if it is named `file[]`.
fn part(form: &[u8], boundary: &str) -> Option<(String, String, Vec<u8>)> {
    let find = |from: usize, what: &[u8]| {
        form[from..].windows(what.len()).position(|here| here == what).map(|at| from + at)
    };
    let head = find(0, format!("--{boundary}\r\n").as_bytes())? + boundary.len() + 4;
    let content = find(head, b"\r\n\r\n")? + 4;
    let end = find(content, format!("\r\n--{boundary}--").as_bytes())?;
    let head = std::str::from_utf8(&form[head..content]).ok()?;
    let (_, rest) = head.split_once("name=\"file[]\"; filename=\"")?;
    let (name, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once("Content-Type: ")?;
    let kind = rest.lines().next()?;
    Some((name.to_owned(), kind.to_owned(), form[content..end].to_vec()))
}

/// `GET files/{id}` (`TS`), with a login.
pub async fn download(
    Extract(shared): Extract<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let state = shared.state.lock().unwrap();
    if require_login(&state, &headers).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match state.files.iter().find(|file| file.id == id) {
        Some(file) => {
            ([(header::CONTENT_TYPE, file.kind.clone())], file.content.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let all = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..=chunk.len() {
            let six = (all >> (18 - 6 * place)) & 63;
            text.push(char::from(LETTERS[usize::try_from(six).unwrap()]));
        }
    }
    text
}
