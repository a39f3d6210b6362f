// What a Chinese name sounds like, as far as a search needs it: its pinyin in full or by initials. Browsers sort Chinese by pinyin,
// so that a table of the first character of each syllable tells the syllable of all; where a browser can't, nothing sounds alike.

const order = new Intl.Collator("zh-u-co-pinyin");

/** Each syllable with the character that comes first of it. Without tones; `v` is ü. */
const SYLLABLES = "a吖ai哎an安ang肮ao凹ba丷bai挀ban扳bang邦bao勹bei卑ben奔beng伻bi屄bian边biao灬bie憋bin汃bing冫bo癶bu峬ca嚓cai偲can参cang仓cao撡ce冊cen嵾ceng曽cha叉chai芆chan辿chang伥chao抄che车chen抻cheng阷chi吃chong充chou抽chu出chuai歘chuan踹chuang刅chui吹chun旾chuo逴ci呲cong匆cou凑cu粗cuan汆cui崔cun邨cuo搓da咑dai呆dan丹dang当dao刀de嘚deng扥di氐dian嗲diao刁die爹ding丁diu丟dong东dou吺du厾duan耑dui垖dun吨duo多e妸ei诶en奀er鞥fa发fan帆fang匚fei飞fen分feng丰fou覅fu夫ga旮gai侅gan甘gang冈gao皋ge戈gei给gen根geng刯gong工gou勾gu估gua瓜guai乖guan关guang光gui归gun丨guo呙ha哈hai咍han佄hang夯hao茠he诃hei黒hen拫heng亨hong噷hou齁hu乎hua花huai怀huan欢huang巟hui灰hun昏huo吙ji丌jia加jian戋jiang江jiao艽jie阶jin巾jing坕jiong冂jiu丩ju凥juan姢jue噘jun军ka咔kai开kan刊kang忼kao尻ke匼ken肎keng劥kong空kou抠ku扝kua夸kuai蒯kuan宽kuang匡kui亏kun坤kuo扩la垃lai来lan兰lang啷lao捞le仂lei勒leng崚li哩lia俩lian奁liang良liao撩lie毟lin拎ling伶liu溜long囖lou瞜lu噜lv驴luan娈lun掠luo啰ma呣mai埋man嫚mang牤mao猫me嚒mei呅men椚meng擝mi咪mian宀miao喵mie乜min民ming名miu谬mo摸mou麿mu毪na拏nai腉nan囡nang囔nao孬ne疒nei娞nen恁neng能ni嗯nian拈niang娘niao鸟nie捏nin囜ning宁niu妞nong农nou羺nu奴nv女nuan奻nuo疟o喔ou讴pa妑pai拍pan眅pang乓pao抛pei呸pen喷peng匉pi丕pian囨piao剽pie氕pin姘ping聘po钋pou剖pu仆qi七qia掐qian千qiang呛qiao悄qie苆qin亲qing靑qiong卭qiu丘qu区quan奍que炔qun夋ran呥rang穣rao娆re惹ren人reng扔ri日rong戎rou厹ru邚ruan挼rui婑run瞤ruo捼sa仨sai毢san三sang桒sao掻se閪sen森seng僧sha杀shai筛shan山shang伤shao弰she奢shen谁sheng升shi尸shou収shu书shua刷shuai衰shuan闩shuang双shui脽shun吮shuo说si厶song忪sou凁su苏suan狻sui夊sun孙suo唆ta他tai囼tan坍tang汤tao夲te忑teng熥ti剔tian天tiao旫tie帖ting厅tong囲tou偷tu凸tuan湍tui推tun吞tuo乇wa屲wai歪wan弯wang尢wei危wen昷weng翁wo挝wu乌xi夕xia呷xian仙xiang乡xiao灱xie些xin心xing星xiong凶xiu休xu吁xuan吅xue削xun坃ya丫yan恹yang央yao幺ye倻yi一yin囙ying应yo哟yong佣you优yu込yuan囦yue曰yun晕za帀zai災zan兂zang匨zao傮ze则zei贼zen怎zeng増zha扎zhai夈zhan枬zhang张zhao佋zhe蜇zhen贞zheng凧zhi之zhong中zhou州zhu朱zhua抓zhuai跩zhuan专zhuang妆zhui隹zhun宒zhuo拙zi乲zong宗zou邹zu租zuan钻zui厜zun尊zuo嘬".match(/[a-z]+./gu);
/** Family names that sound otherwise than the character does elsewhere. */
const SURNAMES = { 曾: "zeng", 单: "shan", 解: "xie", 仇: "qiu", 查: "zha", 翟: "zhai", 朴: "piao", 盖: "ge" };

/** The syllable of a Chinese character; another sign stays as it is. */
function soundOf(sign) {
  if (!/\p{Script=Han}/u.test(sign)) return sign.toLowerCase();
  let [low, high] = [0, SYLLABLES.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order.compare(SYLLABLES[middle].slice(-1), sign) <= 0) low = middle + 1;
    else high = middle;
  }
  return SYLLABLES[low - 1]?.slice(0, -1) ?? sign;
}

const isThere = soundOf("王") === "wang" && soundOf("张") === "zhang";

/** Whether letters are the beginning of these syllables, each in full or by its first letters. */
function begins(letters, [sound, ...more]) {
  if (letters === "") return true;
  if (sound === undefined) return false;
  if (sound.startsWith(letters)) return true;
  return [sound, /^[zcs]h/.exec(sound)?.[0], sound[0]].some((part) => part && letters.startsWith(part) && begins(letters.slice(part.length), more));
}

/** Whether a name sounds as it was typed, in Latin letters, from its beginning on. */
export function sounds(name, typed) {
  const letters = typed.toLowerCase().replaceAll("ü", "v").replace(/[\s'’]/g, "");
  if (!isThere || !/^[a-z]+$/.test(letters) || !name) return false;
  const signs = [...name.replace(/\s/g, "")].map(soundOf);
  const family = SURNAMES[[...name][0]];
  return begins(letters, signs) || Boolean(family && begins(letters, [family, ...signs.slice(1)]));
}
