//! A file of unknown honesty, read here and there.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Reads a few bytes at any place. Neighbouring reads share a buffer, so a walk over many small headers is cheap.
pub(super) struct Source {
    file: BufReader<File>,
    position: u64,
    len: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self {
            file: BufReader::new(file),
            position: 0,
            len,
        })
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The `N` bytes at `at`; `None` where the file ends before.
    pub(super) fn read<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let end = at.checked_add(N as u64).filter(|end| *end <= self.len)?;
        let way = i64::try_from(i128::from(at) - i128::from(self.position)).ok()?;
        self.file.seek_relative(way).ok()?;
        self.position = at;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).ok()?;
        self.position = end;
        Some(bytes)
    }

    /// The big-endian number at `at`.
    pub(super) fn u32(&mut self, at: u64) -> Option<u32> {
        self.read(at).map(u32::from_be_bytes)
    }

    /// The big-endian number at `at`.
    pub(super) fn u64(&mut self, at: u64) -> Option<u64> {
        self.read(at).map(u64::from_be_bytes)
    }

    /// The file from its begin, for a reader that goes its own way.
    pub(super) fn rewound(mut self) -> io::Result<BufReader<File>> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(self.file)
    }
}
