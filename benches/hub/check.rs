//! Was every delivery right? Cheap enough to ask for each one of millions a second.
//!
//! In a room everybody hears the same lines in the same order, but for their own. So the first listener to
//! reach a line has it parsed (whose is it, is it that sender's next one?) and written into the room's
//! *script*; everybody else's bytes are only compared with the script, many lines in one comparison. A line
//! lost, doubled, torn, altered or out of order anywhere is a difference from the script, or from the
//! sequence of its sender. Somebody who speaks never writes the script: where its own lines belong is known
//! only from others.

use std::collections::BTreeMap;

use crate::peers::{Dialect, Record};

/// Bytes of a line without its end; 64 with it, as in the measurements of the peers.
pub(crate) const PAYLOAD: usize = 63;
const FILLER: &[u8; 40] = b" the quick brown fox jumps over lazy dog";
/// Long enough to cost nothing per line, short enough that one difference does not cost a big comparison.
const BLOCK: usize = 16 << 10;

/// What a flooder's line starts with, instead of `L`.
const WILD: u8 = b'F';

/// What a line says of itself: `L` + sender (5 hex) + sequence (8 hex) + time sent (16 hex) + filler.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) sender: u32,
    pub(crate) seq: u32,
    pub(crate) sent: u64,
}

impl Stamp {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        self.write_as(b'L', out);
    }

    /// As a line of somebody who floods: it may be dropped, and when it was sent does not matter.
    pub(crate) fn write_wild(self, out: &mut Vec<u8>) {
        self.write_as(WILD, out);
    }

    fn write_as(self, mark: u8, out: &mut Vec<u8>) {
        out.push(mark);
        push_hex(out, self.sender.into(), 5);
        push_hex(out, self.seq.into(), 8);
        push_hex(out, self.sent, 16);
        out.extend_from_slice(&FILLER[..PAYLOAD - 30]);
    }

    /// Is this one of ours? If a server changed one so much that it is not, its sender's sequence has a hole.
    pub(crate) fn marks(payload: &[u8]) -> bool {
        payload.len() == PAYLOAD && matches!(payload[0], b'L' | WILD) && payload[30..] == FILLER[..PAYLOAD - 30]
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        Some(Self {
            sender: parse_hex(&payload[1..6])? as u32,
            seq: parse_hex(&payload[6..14])? as u32,
            sent: parse_hex(&payload[14..30])?,
        })
    }
}

/// A line that only tells its hearers that they are in the room: `P` and filler.
pub(crate) fn probe() -> [u8; PAYLOAD] {
    let mut line = [b'.'; PAYLOAD];
    line[0] = b'P';
    line
}

fn push_hex(out: &mut Vec<u8>, value: u64, digits: usize) {
    for at in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * at)) as usize & 15]);
    }
}

fn parse_hex(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |value, &digit| Some(value << 4 | u64::from(char::from(digit).to_digit(16)?)))
}

/// All that was said in a room, in the order in which it is delivered.
#[derive(Default)]
pub(crate) struct Script {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    authors: Vec<u32>,
    sent: Vec<u64>,
    /// How many of them are not flooders'.
    tame: usize,
    /// Lines up to the last that is not a flooder's.
    tame_end: usize,
    /// The lowest number that each flooder's next line may have.
    wild: BTreeMap<u32, u32>,
}

/// How far somebody has read a script.
pub(crate) struct Reader {
    pub(crate) line: usize,
    /// Heard a probe: it is in the room.
    pub(crate) probed: bool,
    /// Its number as a sender, if it speaks in the room it hears.
    pub(crate) speaks: Option<u32>,
}

/// What an advance was worth.
#[derive(Default)]
pub(crate) struct Heard {
    /// Bytes that are done with; the rest waits for more.
    pub(crate) bytes: usize,
    /// Lines of others delivered.
    pub(crate) lines: usize,
    /// Lines of the script passed: those delivered and its own.
    pub(crate) passed: usize,
    /// Lines that nobody said: arrivals, notices, answers.
    pub(crate) notices: usize,
}

impl Script {
    pub(crate) fn lines(&self) -> usize {
        self.ends.len()
    }

    /// How many were said by others than flooders.
    pub(crate) fn tame(&self) -> usize {
        self.tame
    }

    /// Whoever has read so far has all that others than flooders said.
    pub(crate) fn tame_end(&self) -> usize {
        self.tame_end
    }

    /// When the lines in `range` were sent (flooders': 0), on the clock of `Stamp::sent`.
    pub(crate) fn sent(&self, range: std::ops::Range<usize>) -> &[u64] {
        &self.sent[range]
    }

    fn start(&self, line: usize) -> usize {
        line.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// Checks `bytes` that `reader` received. `next` holds the sequence number due from each sender.
    pub(crate) fn advance(
        &mut self,
        reader: &mut Reader,
        bytes: &[u8],
        dialect: Dialect,
        next: &mut [u32],
    ) -> Result<Heard, String> {
        let mut heard = Heard::default();
        let begin = reader.line;
        loop {
            self.skip_own(reader);
            let rest = &bytes[heard.bytes..];
            let start = self.start(reader.line);
            if reader.speaks.is_none() {
                let common = rest.len().min(self.bytes.len() - start).min(BLOCK);
                if common > 0 && rest[..common] == self.bytes[start..start + common] {
                    let whole = self.ends[reader.line..].partition_point(|&end| end <= start + common);
                    if whole > 0 {
                        reader.line += whole;
                        heard.lines += whole;
                        heard.bytes += self.ends[reader.line - 1] - start;
                        continue;
                    }
                }
            }
            match dialect.record(rest) {
                Record::Incomplete => break,
                Record::Notice(length) => {
                    heard.bytes += length;
                    heard.notices += 1;
                }
                Record::Probe(length) => {
                    heard.bytes += length;
                    reader.probed = true;
                }
                Record::Said { length, payload } => {
                    let record = &rest[..length];
                    if reader.line == self.lines() {
                        if reader.speaks.is_some() {
                            break; // until others have said what comes next
                        }
                        self.append(record, payload, next)?;
                    } else if *record != self.bytes[start..self.ends[reader.line]] {
                        return Err(format!(
                            "line {} differs: expected {:?}, got {:?}",
                            reader.line,
                            String::from_utf8_lossy(&self.bytes[start..self.ends[reader.line]]),
                            String::from_utf8_lossy(record)
                        ));
                    }
                    reader.line += 1;
                    heard.lines += 1;
                    heard.bytes += length;
                }
            }
        }
        heard.passed = reader.line - begin;
        Ok(heard)
    }

    fn skip_own(&self, reader: &mut Reader) {
        if let Some(me) = reader.speaks {
            while self.authors.get(reader.line) == Some(&me) {
                reader.line += 1;
            }
        }
    }

    fn append(&mut self, record: &[u8], payload: &[u8], next: &mut [u32]) -> Result<(), String> {
        let garbled = || format!("not one of our lines: {:?}", String::from_utf8_lossy(record));
        let stamp = Stamp::parse(payload).ok_or_else(garbled)?;
        let wild = payload[0] == WILD;
        let due = if wild {
            self.wild.entry(stamp.sender).or_insert(0)
        } else {
            next.get_mut(stamp.sender as usize).ok_or_else(garbled)?
        };
        // Lines of flooders are dropped, which makes holes; none comes twice or too late.
        if stamp.seq < *due || stamp.seq > *due && !wild {
            return Err(format!("line {} of sender {} came when {} was due", stamp.seq, stamp.sender, due));
        }
        *due = stamp.seq + 1;
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
        if wild {
            self.authors.push(u32::MAX);
        } else {
            self.authors.push(stamp.sender);
            self.tame += 1;
            self.tame_end = self.ends.len();
        }
        self.sent.push(stamp.sent);
        Ok(())
    }
}

/// Does the check find what it must? Asked by the bench's self-test.
///
/// # Errors
/// Says what was not found, or what was found without cause.
pub(crate) fn self_test() -> Result<(), String> {
    let line = |sender, seq| {
        let mut line = b"ann: ".to_vec();
        Stamp { sender, seq, sent: 7 }.write(&mut line);
        line.extend_from_slice(b"\r\n");
        line
    };
    let good = [line(0, 0), line(1, 0), line(0, 1), line(0, 2), line(1, 1)];
    let flood = |seq| {
        let mut line = b"eve: ".to_vec();
        Stamp { sender: 0, seq, sent: 0 }.write_wild(&mut line);
        line.extend_from_slice(b"\r\n");
        line
    };
    let mut script = Script::default();
    let mut reader = Reader { line: 0, probed: false, speaks: None };
    let flooded = [flood(0), line(0, 0), flood(7), line(0, 1), flood(8)];
    script.advance(&mut reader, &flooded.concat(), Dialect::Lines, &mut [0; 2])?;
    if (script.tame(), script.tame_end(), reader.line) != (2, 4, 5) {
        return Err("a flooder's lines were taken for others'".to_owned());
    }
    if script.advance(&mut reader, &flood(8), Dialect::Lines, &mut [2; 2]).is_ok() {
        return Err("not found: a flooder's line doubled".to_owned());
    }
    let notice = b"* eve joined\r\n".to_vec();
    let pick = |order: &[usize]| order.iter().map(|&at| good[at].as_slice()).collect::<Vec<_>>().concat();
    // What a second listener makes of `bytes` after a first one has heard all that is good, in pieces.
    let second = |bytes: &[u8], speaks: Option<u32>, piece: usize| -> Result<usize, String> {
        let mut script = Script::default();
        let mut due = [0; 2];
        let mut first = Reader { line: 0, probed: false, speaks: None };
        script.advance(&mut first, &good.concat(), Dialect::Lines, &mut due)?;
        let mut reader = Reader { line: 0, probed: false, speaks };
        let mut kept = Vec::new();
        let mut lines = 0;
        for chunk in bytes.chunks(piece) {
            kept.extend_from_slice(chunk);
            let heard = script.advance(&mut reader, &kept, Dialect::Lines, &mut due)?;
            lines += heard.lines;
            kept.drain(..heard.bytes);
        }
        if !kept.is_empty() {
            return Err("part of a line is left".to_owned());
        }
        Ok(lines)
    };
    for piece in [1, 7, 70, 100, 1000] {
        let with_notice = [&good[0], &notice, &good[1], &notice, &good[2], &good[3], &good[4]].map(Vec::as_slice);
        let right = [
            (pick(&[0, 1, 2, 3, 4]), None, 5),
            (with_notice.concat(), None, 5),
            (pick(&[0, 2, 3]), Some(1), 3),
            (pick(&[1, 4]), Some(0), 2),
            (pick(&[0, 1]), None, 2),
        ];
        for (bytes, speaks, lines) in right {
            let got = second(&bytes, speaks, piece)?;
            if got != lines {
                return Err(format!("{got} lines counted instead of {lines}, in pieces of {piece}"));
            }
        }
        let mut altered = pick(&[0, 1, 2, 3, 4]);
        altered[10] ^= 1;
        let wrong = [
            ("a line altered", altered, None),
            ("a line lost", pick(&[0, 2, 3, 4]), None),
            ("a line doubled", pick(&[0, 1, 1, 2, 3, 4]), None),
            ("another order", pick(&[1, 0, 2, 3, 4]), None),
            ("a line too many", pick(&[0, 1, 2, 3, 4, 4]), None),
            ("one's own line", pick(&[0, 1, 2, 3, 4]), Some(1)),
            ("a line torn", [&good[0][..20], &good[1], &good[0][20..]].concat(), None),
        ];
        for (what, bytes, speaks) in wrong {
            if second(&bytes, speaks, piece).is_ok() {
                return Err(format!("not found: {what}, in pieces of {piece}"));
            }
        }
    }
    Ok(())
}
