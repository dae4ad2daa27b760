//! The lines of the admin protocol: requests, replies, errors.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hub::message::Refusal;
use crate::wire::admin::{Command, Replies, json};

/// Longest request, in bytes without its newline.
pub const MAX_REQUEST: usize = 64 * 1024;

/// The protocol's version, as `hello` tells it. Raised only when something that worked stops working.
pub const PROTOCOL: u32 = 1;

/// Why a request was not carried out. The list is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object of the form `{"id", "cmd", "args", "more"}`, or longer than 64 KiB.
    BadRequest,
    /// No command of that name.
    UnknownCommand,
    /// An argument is missing, unknown, of the wrong type or out of bounds.
    BadArgument,
    /// What was named does not exist.
    NotFound,
    /// The one who asks may not do that.
    Denied,
    /// It cannot be done in the present state, for example because a name is taken.
    Conflict,
    /// A limit of the admin socket is reached; try again.
    Busy,
    /// It took too long.
    Timeout,
    /// A fault of the daemon; its journal says more.
    Internal,
}

/// The error of a reply: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: a lowercase fragment that names the thing.
    pub message: String,
}

impl ControlError {
    /// An error with this code and message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// That the value of this argument cannot be.
    pub fn argument(name: &str, why: impl fmt::Display) -> Self {
        Self::new(ErrorCode::BadArgument, format!("{name:?}: {why}"))
    }
}

/// A refusal of the hub, as an administrator is told it.
impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        let bad = |message: String| Self::new(ErrorCode::BadArgument, message);
        let conflict = |message: String| Self::new(ErrorCode::Conflict, message);
        match refusal {
            Refusal::NoAccounts => conflict("nothing is recorded (history.persist), so no accounts are made".into()),
            Refusal::AccountsUnread => {
                conflict("the accounts on disk cannot be read just now, so none can be made: see \"status\"".into())
            }
            Refusal::NamesUnread => conflict("names on disk cannot be read just now: see \"status\"".into()),
            Refusal::NameReserved(name) => conflict(format!("the hub keeps the name {name:?} for itself")),
            Refusal::NameTakenFor(name, what) => conflict(format!("the name {name:?} could be taken for {what}")),
            Refusal::TooManyAccounts(limit) => {
                conflict(format!("there are {limit} accounts already (limits.accounts)"))
            }
            Refusal::PasswordShort(least) => bad(format!("a password has at least {least} characters")),
            Refusal::PasswordLong(most) => bad(format!("a password has at most {most} bytes")),
            Refusal::PasswordIsCommand => bad("a password that is a command in chat could not be typed there".into()),
            Refusal::PasswordIsName => bad("a password that is the name protects nothing".into()),
            Refusal::LobbyStaysPlain(_) => {
                conflict("the lobby cannot be encrypted; the whole hub can be (access.encryption)".into())
            }
            Refusal::PlainInRoom { names, count } => {
                let (names, more) = (names.join(", "), count.saturating_sub(names.len()));
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                conflict(format!("not everybody in the room is encrypted: {names}{more}"))
            }
            Refusal::CertificateKnown => conflict("this certificate logs in to that account already".into()),
            Refusal::CertificateOfOther => conflict("this certificate logs in to another account".into()),
            Refusal::TooManyCertificates(limit) => {
                conflict(format!("{limit} certificates log in to that account already, and no more may"))
            }
            Refusal::NoLasting => conflict("no rooms last here (rooms.lasting)".into()),
            Refusal::TooManyLasting(limit) => conflict(format!("{limit} rooms last already (rooms.lasting)")),
            Refusal::TooManyLastingOfOne(limit) => {
                conflict(format!("{limit} rooms of that owner last already (rooms.lasting_per_owner)"))
            }
            other => Self::new(ErrorCode::Internal, format!("the hub refuses it: {other:?}")),
        }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Up to here every whole number is one of 64-bit floating point: 2 to the power of 53.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// A request as it came: its id, and either a command or what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Sent back with every reply; `null` if none came.
    pub id: Value,
    /// The command, or why it is none.
    pub command: Result<Command, ControlError>,
    /// Whether a stream of replies is wanted.
    pub more: bool,
}

impl Request {
    /// Reads one line, without its newline.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        let mut id = Value::Null;
        let mut more = false;
        let command = Self::read(line, &mut id, &mut more);
        Self { id, command, more }
    }

    fn read(line: &[u8], id: &mut Value, more: &mut bool) -> Result<Command, ControlError> {
        let bad = |message: String| ControlError::new(ErrorCode::BadRequest, message);
        let read = json::read(line).map_err(|flaw| bad(format!("not a JSON object: {flaw}")))?;
        let Value::Object(object) = read.value else { return Err(bad("not a JSON object".into())) };
        // The id first, whatever else is wrong: the client must be able to tell which request it was.
        match object.get("id") {
            None => {}
            // Beyond this, another number would come back than was given.
            Some(Value::Number(given)) if given.is_f64() && given.as_f64().is_none_or(|given| given.abs() > EXACT) => {
                return Err(bad("\"id\" is a number too great to be given back exactly; it can be a string".into()));
            }
            Some(given @ (Value::String(_) | Value::Number(_) | Value::Null)) => *id = given.clone(),
            Some(_) => return Err(bad("\"id\" is neither a string nor a number".into())),
        }
        // What holds of two values is not ours to guess.
        if let Some(key) = read.twice {
            return Err(bad(json::given_twice(&key)));
        }
        let mut name = None;
        let mut args = Value::Object(Map::new());
        for (key, value) in object {
            match (key.as_str(), value) {
                ("id", _) => {}
                ("cmd", Value::String(cmd)) => name = Some(cmd),
                ("cmd", _) => return Err(bad("\"cmd\" is not a string".into())),
                ("args", value @ Value::Object(_)) => args = value,
                ("args", _) => return Err(bad("\"args\" is not an object".into())),
                ("more", Value::Bool(wanted)) => *more = wanted,
                ("more", _) => return Err(bad("\"more\" is neither true nor false".into())),
                (other, _) => {
                    return Err(bad(format!(
                        "unknown key {other:?}; a request has \"id\", \"cmd\", \"args\" and \"more\""
                    )));
                }
            }
        }
        let name = name.ok_or_else(|| bad("no \"cmd\"".into()))?;
        let command = Command::parse(&name, args)?;
        match (command.spec().replies, *more) {
            (Replies::One, true) => Err(bad(format!("{name} answers once: leave out \"more\""))),
            (Replies::More, false) => Err(bad(format!("{name} answers with a stream: send \"more\": true"))),
            _ => Ok(command),
        }
    }

    /// The line, with its newline, that asks for the command `name`. This program need not know that command.
    #[must_use]
    pub fn line(id: u64, name: &str, args: &Value, more: bool) -> String {
        let mut object = Map::new();
        object.insert("id".into(), id.into());
        object.insert("cmd".into(), name.into());
        object.insert("args".into(), args.clone());
        if more {
            object.insert("more".into(), true.into());
        }
        format!("{}\n", Value::Object(object))
    }
}

/// One line of an answer. A client must not mind keys that it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The id of the request.
    pub id: Value,
    /// Whether it was done.
    pub ok: bool,
    /// Whether another reply to the same request follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The result, if `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The error, if not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ControlError>,
    /// What was done and does not hold in every case yet: for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// Whether a reply is the last one to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// More replies follow.
    More,
    /// It is the last one, or the only one.
    Last,
}

impl Reply {
    /// The line for a result, with its newline.
    #[must_use]
    pub fn done<T: Serialize>(id: &Value, place: Place, result: &T) -> String {
        // As the fields of a reply, and of the result itself: a tree of values of ten thousand clients has ten times as
        // many bytes as its text.
        #[derive(Serialize)]
        struct Done<'a, T> {
            id: &'a Value,
            ok: bool,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            more: bool,
            result: &'a T,
        }
        let done = Done { id, ok: true, more: place == Place::More, result };
        let mut line = serde_json::to_string(&done).expect("results are plain JSON");
        line.push('\n');
        line
    }

    /// The only line for a result that comes with a warning, with its newline.
    #[must_use]
    pub fn done_but(id: &Value, result: Value, warning: String) -> String {
        Self { id: id.clone(), ok: true, more: false, result: Some(result), error: None, warning: Some(warning) }.line()
    }

    /// The line for an error, with its newline.
    #[must_use]
    pub fn refused(id: &Value, error: &ControlError) -> String {
        Self { id: id.clone(), ok: false, more: false, result: None, error: Some(error.clone()), warning: None }.line()
    }

    /// The only line for a result that is JSON already.
    #[must_use]
    pub fn done_with(id: &Value, result: &str) -> String {
        format!("{{\"id\":{id},\"ok\":true,\"result\":{result}}}\n")
    }

    fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("replies are plain JSON");
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::admin::args::HistoryArgs;
    use crate::wire::admin::value::Whole;
    use proptest::prelude::*;
    use serde_json::json;

    fn code(line: &str) -> ErrorCode {
        Request::parse(line.as_bytes()).command.expect_err(line).code
    }

    #[test]
    fn contract_examples_are_read() {
        let request = Request::parse(br#"{"id":4,"cmd":"history.dump","args":{"room":"lobby","last":2},"more":true}"#);
        assert_eq!(request.id, json!(4));
        assert!(request.more);
        let expected = HistoryArgs {
            room: Some("lobby".parse().expect("a name")),
            last: Some(Whole(2)),
            ..HistoryArgs::default()
        };
        assert_eq!(request.command, Ok(Command::HistoryDump(expected)));
    }

    #[test]
    fn bad_requests_are_told_apart_and_keep_their_id() {
        assert_eq!(code("nonsense"), ErrorCode::BadRequest);
        assert_eq!(code("[]"), ErrorCode::BadRequest);
        assert_eq!(code("{}"), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"status","extra":1}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"status","more":true}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"events.subscribe"}"#), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"cmd":"statsu"}"#), ErrorCode::UnknownCommand);
        assert_eq!(code(r#"{"cmd":"status","args":{"x":1}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"history.dump","args":{"last":0}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"say","args":{"text":""}}"#), ErrorCode::BadArgument);
        assert_eq!(code(r#"{"cmd":"say"}"#), ErrorCode::BadArgument);
        let request = Request::parse(br#"{"zzz":1,"id":"a7","cmd":"nope"}"#);
        assert_eq!(request.id, json!("a7"));
        assert!(request.command.is_err());
    }

    /// What a request is refused with.
    fn why(line: &str) -> String {
        Request::parse(line.as_bytes()).command.expect_err(line).message
    }

    #[test]
    fn a_key_that_is_given_twice_is_refused_at_any_depth() {
        for (key, line) in [
            ("dry_run", r#"{"id":1,"cmd":"bans.add","args":{"target":"ann","dry_run":true,"dry_run":false}}"#),
            ("dry_run", r#"{"id":1,"cmd":"bans.add","args":{"target":"ann","dry_run":true,"dry_run":true}}"#),
            ("dry_run", r#"{"id":1,"cmd":"bans.add","args":{"target":"ann","dry_run":true,"dry\u005frun":false}}"#),
            ("args", r#"{"id":1,"cmd":"bans.add","args":{"target":"ann","dry_run":true},"args":{"target":"ann"}}"#),
            ("cmd", r#"{"id":1,"cmd":"status","cmd":"shutdown"}"#),
            ("more", r#"{"id":1,"cmd":"events.subscribe","more":true,"more":true}"#),
            ("x", r#"{"id":1,"cmd":"status","args":{"a":[{"b":[[{"x":1,"x":1}]]}]}}"#),
        ] {
            assert_eq!(why(line), format!("{key:?} is given twice"), "{line}");
            let request = Request::parse(line.as_bytes());
            assert_eq!((code(line), request.id), (ErrorCode::BadRequest, json!(1)), "{line}");
        }
        for (id, back) in [("18446744073709551615", json!(u64::MAX)), ("1.5", json!(1.5)), ("-1", json!(-1))] {
            let request = Request::parse(format!(r#"{{"id":{id},"cmd":"status"}}"#).as_bytes());
            assert!(request.command.is_ok() && request.id == back, "{id}");
        }
        for id in ["18446744073709551616", "-9223372036854775809", "1e300"] {
            let request = Request::parse(format!(r#"{{"id":{id},"cmd":"status"}}"#).as_bytes());
            let refused = request.command.expect_err("another number would come back").message;
            assert_eq!(
                (request.id, &*refused),
                (json!(null), "\"id\" is a number too great to be given back exactly; it can be a string")
            );
        }
        let which = Request::parse(br#"{"id":1,"id":2,"cmd":"status"}"#);
        assert_eq!(
            (which.id, which.command.map_err(|error| error.message)),
            (json!(null), Err("\"id\" is given twice".into()))
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_words_and_names_the_argument() {
        for (line, told) in [
            ("", "not a JSON object: it ends too early"),
            ("{\"id\":1,", "not a JSON object: it ends too early"),
            ("[1]", "not a JSON object"),
            ("{\"id\":1} x", "not a JSON object: something follows it, at byte 10"),
            ("{id:1}", "not a JSON object: a key stands in double quotes, at byte 2"),
            ("nonsense", "not a JSON object: there is no value, at byte 2"),
            (r#"{"cmd":"clients.list","args":{"room":5}}"#, "clients.list: \"room\": a string is needed, not 5"),
            (
                r#"{"cmd":"clients.list","args":{"room":["a"]}}"#,
                "clients.list: \"room\": a string is needed, not a list",
            ),
            (r#"{"cmd":"clients.kick","args":{"who":"ann"}}"#, "clients.kick: \"who\": a list is needed, not \"ann\""),
            (r#"{"cmd":"clients.kick","args":{"who":[7]}}"#, "clients.kick: \"who\": a string is needed, not 7"),
            (r#"{"cmd":"clients.kick","args":{"who":[]}}"#, "clients.kick: \"who\": a list is empty"),
            (r#"{"cmd":"clients.mute","args":{"who":[]}}"#, "clients.mute: \"who\": a list is empty"),
            (r#"{"cmd":"reports.close","args":{"reports":[]}}"#, "reports.close: \"reports\": a list is empty"),
            (
                r#"{"cmd":"history.redact","args":{"from_seq":1.5}}"#,
                "history.redact: \"from_seq\": a whole number is needed, not 1.5",
            ),
            (
                r#"{"cmd":"history.dump","args":{"since":"2026-11-30T10:00:00"}}"#,
                "history.dump: \"since\": \"2026-11-30T10:00:00\" is no time like 2026-11-22T10:01:02Z or 2026-11-22T12:01:02+02:00",
            ),
            (r#"{"cmd":"clients.kick"}"#, "clients.kick: \"who\" is missing"),
            (
                r#"{"cmd":"history.dump","args":{"last":-1}}"#,
                "history.dump: \"last\": a whole number is needed, not -1",
            ),
            (r#"{"cmd":"history.dump","args":{"last":0}}"#, "history.dump: \"last\": 0 is outside 1 to 1000000"),
            (r#"{"cmd":"say","args":{"text":""}}"#, "say: \"text\": a string is empty"),
            (
                r#"{"cmd":"bans.add","args":{"target":"ann","dry_run":1}}"#,
                "bans.add: \"dry_run\": true or false is needed, not 1",
            ),
            (r#"{"cmd":"status","args":{"x":1}}"#, "status: unknown argument \"x\"; there are none"),
            (r#"{"cmd":"clients.get","args":{"x":1}}"#, "clients.get: unknown argument \"x\"; known is \"who\""),
            (
                r#"{"cmd":"log.level","args":{"level":"loud"}}"#,
                "log.level: \"level\": \"loud\" is not \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
            ),
        ] {
            assert_eq!(why(line), told, "{line}");
        }
        let deep = format!("{{\"id\":1,\"cmd\":{}", "[".repeat(1000));
        assert!(why(&deep).contains("nested too deeply"), "{}", why(&deep));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(numbers in proptest::collection::vec(any::<i64>(), 0..5), text in ".*") {
            let value = json!({"a": numbers, "b": {"c": text, "d": [null, true, 1.5]}});
            let read = json::read(value.to_string().as_bytes()).expect("it is JSON");
            prop_assert_eq!(read, json::Read { value, twice: None });
        }

        #[test]
        fn no_request_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Request::parse(&bytes);
        }
    }
}
