use super::*;

fn fault(text: &str) -> (usize, String) {
    let fault = Profile::read(text).unwrap_err();
    (fault.line, fault.kind.to_string())
}

/// A small profile, each line once.
const SMALL: &str = r#"profile = "small"
platform = "small"
title = "小店"
grain = "line"
required = ["订单号", "数量"]
[columns]
order_id = ["订单号"]
packs = ["数量"]
placed_at = ["时间", "付款时间"]
paid_at = ["付款时间"]
status = ["状态"]
[status]
"待发货" = "to_ship"
"#;

#[test]
fn all_of_ours_can_be_used() {
    let own = Profiles::own();
    assert_eq!(own.faults(), []);
    assert_eq!(own.all().len(), OWN.len());
    for profile in own.all() {
        for other in [&profile.lines_in, &profile.orders_in].into_iter().flatten() {
            assert!(own.all().iter().any(|found| found.name == *other), "{other}");
        }
    }
}

#[test]
fn faults_are_told_with_their_line() {
    assert!(Profile::read(SMALL).is_ok(), "{:?}", Profile::read(SMALL).err());
    let with = |from: &str, to: &str| fault(&SMALL.replace(from, to));
    for (from, to, line, says) in [
        ("packs = ", "bags = ", 8, "`bags` is no meaning of a column"),
        ("status = [\"状态\"]", "status = [\"订单号\"]", 11, "the heading `订单号` has two meanings"),
        ("status = [\"状态\"]", "status = [\" 订单号 \"]", 11, "the heading ` 订单号 ` has two meanings"),
        ("paid_at = [\"付款时间\"]", "paid_at = [\"时间\"]", 10, "the heading `时间` has two meanings"),
        ("[status]\n\"待发货\" = \"to_ship\"\n", "", 1, "`status` is missing"),
        ("\"to_ship\"", "\"to-ship\"", 13, "the word `待发货` is no state, or two"),
        ("\"to_ship\"\n", "\"to_ship\"\n\"待 发货\" = \"shipped\"\n", 13, "the word `待发货` is no state, or two"),
        ("status = [\"状态\"]\n", "", 6, "`columns.status` is missing"),
        ("grain = \"line\"", "grain = \"row\"", 4, "`grain` must be `line` or `order`"),
        ("title = \"小店\"", "title = 1", 3, "`title` must be a text"),
        ("platform = \"small\"", "platform = \"Small Shop\"", 2, "`platform` must be 1 to 32 of a-z, 0-9 and -"),
        ("\"数量\"]\n[col", "\"件数\"]\n[col", 5, "`件数` is not known here"),
        ("grain = \"line\"", "grain = \"line\"\nempty = []", 5, "`empty` is not known here"),
        ("placed_at = [\"时间\", \"付款时间\"]\n", "", 6, "`columns.placed_at` is missing"),
        ("[columns]", "[columns]\naftersale = [\"售后\"]", 1, "`aftersale` is missing"),
        ("[columns]", "[must]\ntitle = true\n[columns]", 7, "`must.title` is not known here"),
        ("[columns]", "[must]\npacks = 1\n[columns]", 7, "`packs` must be true or false"),
        (
            "[columns]",
            "[joined]\nseparator = \";\"\ncolumns = [\"bags\"]\n[columns]",
            8,
            "`bags` is no meaning of a column",
        ),
    ] {
        assert_eq!(with(from, to), (line, says.to_owned()), "{to}");
    }
    let (line, says) = with("grain = \"line\"", "grain = ");
    assert_eq!((line, says.starts_with("no TOML")), (4, true), "{says}");
    let (line, says) = with("[columns]", "[day_from]\ncolumn = \"order_id\"\npattern = \"(a\"\n[columns]");
    assert_eq!((line, says.starts_with("the pattern can't be used")), (8, true), "{says}");
    let (line, _) = with("[columns]", "[day_from]\ncolumn = \"order_id\"\npattern = \"(a)\"\n[columns]");
    assert_eq!(line, 8);
}

#[test]
fn an_operators_file_stands_beside_ours_or_in_place_of_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.toml"), SMALL.replace("\"small\"", "\"douyin\"")).unwrap();
    std::fs::write(folder.path().join("c.toml"), SMALL).unwrap();
    std::fs::write(folder.path().join("bad.toml"), "profile = 1").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no profile").unwrap();
    let profiles = Profiles::with_folder(folder.path());
    assert_eq!(profiles.all().len(), OWN.len() + 1);
    assert_eq!(profiles.all().iter().find(|profile| profile.name == "douyin").unwrap().title, "小店");
    let [(file, fault)] = profiles.faults() else { panic!("{:?}", profiles.faults()) };
    assert_eq!((file.as_str(), fault.line), ("bad.toml", 1));
    assert_eq!(Profiles::with_folder(&folder.path().join("none")).all().len(), OWN.len());
}
