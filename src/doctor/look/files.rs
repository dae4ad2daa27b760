//! Looks at files, directories, users and file systems.

use std::io::ErrorKind;
use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{Group, User};
use rustix::fs::{AtFlags, CWD, FileType, StatxAttributes, StatxFlags, statx};

use super::super::facts::{Disk, Kind, Node};
use super::super::finding::{Seen, Unseen};
use super::not_root;
use crate::values::plain::Plain;
use crate::values::time::Wall;

/// The file at the path itself: a link is not followed.
pub(super) fn node(path: &Path) -> Seen<Node> {
    look(path, AtFlags::SYMLINK_NOFOLLOW)
}

/// The file to which the path leads: links are followed.
pub(super) fn followed(path: &Path) -> Seen<Node> {
    look(path, AtFlags::empty())
}

fn look(path: &Path, flags: AtFlags) -> Seen<Node> {
    let seen =
        statx(CWD, path, flags, StatxFlags::BASIC_STATS).map_err(|errno| unseen(path, &std::io::Error::from(errno)))?;
    let kind = match FileType::from_raw_mode(seen.stx_mode.into()) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        FileType::Socket => Kind::Socket,
        _ => Kind::Other,
    };
    let millis =
        seen.stx_mtime.tv_sec.saturating_mul(1000).saturating_add(i64::from(seen.stx_mtime.tv_nsec / 1_000_000));
    Ok(Node {
        path: path.to_owned(),
        kind,
        mode: u32::from(seen.stx_mode) & 0o7777,
        uid: seen.stx_uid,
        gid: seen.stx_gid,
        size: seen.stx_size,
        made: Wall(millis),
        immutable: seen.stx_attributes.contains(StatxAttributes::IMMUTABLE),
    })
}

/// Why a path could not be looked at.
pub(super) fn unseen(path: &Path, error: &std::io::Error) -> Unseen {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Unseen::absent(format!("{} is not there", path.display())),
        _ => Unseen::hidden(format!("{}: {}{}", path.display(), Plain(error), not_root())),
    }
}

/// The file system of a path.
pub(super) fn disk(path: &Path) -> Seen<Disk> {
    let seen = statvfs(path).map_err(|errno| unseen(path, &std::io::Error::from(errno)))?;
    Ok(Disk {
        free: seen.blocks_available().saturating_mul(seen.fragment_size()),
        inodes: (seen.files() > 0).then(|| seen.files_available()),
        read_only: seen.flags().contains(FsFlags::ST_RDONLY),
    })
}

/// The uid and gid of a user; `None` if there is no such user.
pub(super) fn user(name: &str) -> Option<(u32, u32)> {
    let user = User::from_name(name).ok().flatten()?;
    Some((user.uid.as_raw(), user.gid.as_raw()))
}

/// The gid of a group; `None` if there is no such group.
pub(super) fn group(name: &str) -> Option<u32> {
    Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
}
