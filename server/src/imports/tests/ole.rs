//! Containers and workbooks of the older kind, made by hand.

use super::making::KUAISHOU;

/// A container with these streams, each in sectors of its own.
pub(super) fn container(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let (end, free, table) = (0xffff_fffeu32, 0xffff_ffffu32, 0xffff_fffdu32);
    // Sector 0 is the table, 1 and 2 the directory.
    let mut fat = vec![table, 2, end];
    let mut sectors: Vec<u8> = Vec::new();
    let entry = |name: &str, kind: u8, first: u32, size: u32| {
        let mut entry = vec![0u8; 128];
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry[..units.len()].copy_from_slice(&units);
        entry[64] = u8::try_from(units.len() + 2).unwrap();
        entry[66] = kind;
        entry[116..120].copy_from_slice(&first.to_le_bytes());
        entry[120..124].copy_from_slice(&size.to_le_bytes());
        entry
    };
    let mut directory = entry("Root Entry", 5, end, 0);
    for (name, bytes) in streams {
        let first = u32::try_from(fat.len()).unwrap();
        // Streams of fewer bytes would be small ones.
        let size = bytes.len().max(4096);
        let count = u32::try_from(size.div_ceil(512)).unwrap();
        fat.extend((first + 1..first + count).chain([end]));
        let mut padded = bytes.to_vec();
        padded.resize(usize::try_from(count).unwrap() * 512, 0);
        sectors.extend(padded);
        directory.extend(entry(name, 2, first, u32::try_from(size).unwrap()));
    }
    directory.resize(1024, 0);
    fat.resize(128, free);
    let mut header = vec![0u8; 512];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[30] = 9;
    header[32] = 6;
    header[44] = 1;
    header[48] = 1;
    header[56..60].copy_from_slice(&4096u32.to_le_bytes());
    header[60..64].copy_from_slice(&end.to_le_bytes());
    header[68..72].copy_from_slice(&end.to_le_bytes());
    header[76..512].fill(0xff);
    header[76..80].copy_from_slice(&0u32.to_le_bytes());
    let table: Vec<u8> = fat.iter().flat_map(|sector| sector.to_le_bytes()).collect();
    [header, table, directory, sectors].concat()
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [&kind.to_le_bytes(), &length.to_le_bytes(), data].concat()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let letters: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    [&u16::try_from(units.len()).unwrap().to_le_bytes()[..], &[1], &letters].concat()
}

fn cell(row: u16, column: u16, kind: u16, data: &[u8]) -> Vec<u8> {
    record(kind, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &[0, 0], data].concat())
}

/// A workbook with shared texts over two records, a merged order, numbers of every kind, and a number that lost digits.
pub(super) fn workbook() -> Vec<u8> {
    let shared: Vec<&str> = KUAISHOU.iter().copied().chain(["80", "待发货", "XM-05", "LJ-200"]).collect();
    let count = u32::try_from(shared.len()).unwrap().to_le_bytes();
    let mut first: Vec<u8> = [&count[..], &count].concat();
    first.extend(shared[..10].iter().flat_map(|text| wide(text)));
    // The last text is cut in two; the rest of it says anew that its letters are of one byte.
    first.extend([6, 0, 1, b'L', 0, b'J', 0]);
    let continued: Vec<u8> = [&[0u8][..], b"-200"].concat();
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0]);
    let mut globals = begin(5);
    // A hidden sheet and a chart stand before the one that people see.
    globals.extend(record(0x0085, &[0, 0, 0, 0, 1, 0, 1, 0, b'h']));
    globals.extend(record(0x0085, &[0, 0, 0, 0, 0, 2, 1, 0, b'c']));
    let sheet_record = globals.len() + 4;
    globals.extend(record(0x0085, &[0, 0, 0, 0, 0, 0, 1, 0, b'a']));
    globals.extend(record(0x00fc, &first));
    globals.extend(record(0x003c, &continued));
    globals.extend(record(0x000a, &[]));
    let at = u32::try_from(globals.len()).unwrap();
    globals[sheet_record..sheet_record + 4].copy_from_slice(&at.to_le_bytes());
    let mut sheet = begin(0x10);
    let text = |row, column, which: u32| cell(row, column, 0x00fd, &which.to_le_bytes());
    for column in 0..7u16 {
        sheet.extend(text(0, column, u32::from(column)));
    }
    let number = |row, column, number: f64| cell(row, column, 0x0203, &number.to_le_bytes());
    let small = |row, column, bits: u32| cell(row, column, 0x027e, &bits.to_le_bytes());
    sheet.extend(text(1, 0, 7));
    sheet.extend(small(1, 1, (1 << 2) | 2));
    sheet.extend(small(1, 2, (990 << 2) | 3));
    sheet.extend(text(1, 3, 8));
    sheet.extend(text(1, 4, 9));
    sheet.extend(number(1, 5, 46_337.5));
    // A second line of the merged order; a formula's text.
    let numbers = [(1u32 << 2) | 2, (1_234 << 2) | 3].map(|bits| [&[0, 0][..], &bits.to_le_bytes()].concat()).concat();
    sheet.extend(record(0x00bd, &[&[2, 0, 1, 0][..], &numbers, &[2, 0]].concat()));
    sheet.extend(cell(2, 4, 0x0006, &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]));
    sheet.extend(record(0x0207, &wide("LJ-200")));
    sheet.extend(number(3, 0, 2.63e15));
    let range = |column: u8| [1, 0, 2, 0, column, 0, column, 0];
    sheet.extend(record(0x00e5, &[&[3u8, 0][..], &range(0), &range(3), &range(5)].concat()));
    sheet.extend(record(0x000a, &[]));
    globals.extend(sheet);
    container(&[("Workbook", &globals)])
}
