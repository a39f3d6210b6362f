//! What the help says of the server's settings.

pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("A configuration file", "设置文件"),
    ("Where to listen", "在哪个地址上接受连接"),
    (
        "A name by which phones reach the server; the first goes into invitations",
        "手机用来找服务器的名字；第一个写进邀请",
    ),
    (
        "A certificate that everyone trusts, with its chain (PEM); read again on SIGHUP. Without it the server has an authority of \
         its own, which phones pin",
        "大家都信任的证书，连同证书链（PEM）；收到 SIGHUP 时重读。不写就由服务器自己签发，手机只认它",
    ),
    ("The certificate's key (PEM)", "证书的密钥（PEM）"),
    (
        "Get a certificate that browsers trust by itself, and renew it: the e-mail address that the authority (Let's Encrypt) writes \
         to. It agrees to the authority's terms. The names must lead to this server, and its port be reached as 443",
        "自动取得浏览器信任的证书并续期：写签发机构（Let's Encrypt）用来联系的邮箱。这就是同意它的条款。名字必须指向这台服务器，\
         端口要能从 443 连到",
    ),
    ("Another authority: the address of its ACME directory", "另一个签发机构：它的 ACME 目录地址"),
    (
        "The roots by which the line to that authority is trusted (PEM), where they are not the usual ones",
        "连接那个机构时信任的根证书（PEM），不是通常那些时才写",
    ),
    (
        "What is logged: `error`, `warn`, `info`, `debug`, or by module as `granary_server::log=debug`",
        "记多细的日志：`error`、`warn`、`info`、`debug`，或按模块写成 `granary_server::log=debug`",
    ),
    ("`text`, or `json` for one object a line", "`text`，或 `json`（一行一个对象）"),
    ("Connections at once", "同时最多多少个连接"),
    (
        "Connections of one address at once; those of a trusted proxy are not counted so",
        "一个地址同时最多多少个连接；受信任的代理不这样算",
    ),
    (
        "Phones that enrol from one address at once; one more every ten seconds. `open-enrolment` opens it for a day",
        "一个地址一下子可以加入多少部手机；之后每十秒再加一部。`open-enrolment` 可以放开一天",
    ),
    ("Requests of one device a second, in the long run", "一部设备每秒最多多少次请求，按长时间算"),
    (
        "Addresses or networks of proxies before the server, whose X-Forwarded-For says where a request is from",
        "服务器前面的代理的地址或网段；它们的 X-Forwarded-For 说明请求从哪里来",
    ),
    (
        "The port that stands in invitations, where phones reach the server by another than that of `--listen`",
        "写进邀请的端口，手机连的端口和 `--listen` 的不同时才写",
    ),
    (
        "Where to serve the metrics, over plain HTTP, for this machine or a network of the operator's own",
        "在哪个地址上给出运行指标，用不加密的 HTTP，只给本机或自己的网络",
    ),
    (
        "Where to serve the phone in the browser over plain HTTP, on loopback alone, for a browser of this machine",
        "在哪个地址上用不加密的 HTTP 给出浏览器里的手机，只给本机的浏览器",
    ),
    (
        "Serve the browser's app from this folder (such as `web/app`), for whoever writes it",
        "从这个文件夹给出浏览器里的应用（例如 `web/app`），给写它的人用",
    ),
    ("Days for which lines of the audit are kept", "操作记录保存多少天"),
    (
        "Private addresses or networks to which webhooks may go, and without TLS too, such as `10.4.0.0/16`",
        "通知可以发到的内部地址或网段，不加密也可以，例如 `10.4.0.0/16`",
    ),
    ("What one device may add to the store on one day, in MiB", "一部设备一天最多可以增加多少数据，MiB"),
    ("What one device may have in the store in all, in MiB", "一部设备一共最多可以有多少数据，MiB"),
    (
        "What the phones of one household may add to the store on one day, in MiB",
        "一户的手机一天最多可以增加多少数据，MiB",
    ),
    ("What the phones of one household may have in the store in all, in MiB", "一户的手机一共最多可以有多少数据，MiB"),
    ("Days after which the content of what was set aside is dropped", "搁置的内容多少天以后删掉"),
    (
        "What stays free of the disk, in MiB: below it the server takes nothing new. Up to 512 a fiftieth of a small disk is enough; 0 \
         for none",
        "磁盘上留出多少空间，MiB：不够时服务器不再收新的。512 以内，小磁盘留五十分之一就够；0 是不留",
    ),
];
