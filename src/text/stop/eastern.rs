//! Stop words of the languages of eastern Europe and Asia that put spaces between words, as written.

pub(super) const RUSSIAN: &str = "а без более бы был была были было быть в вам вас ваш ваша ваше ваши во вот все всё всего всех вы где \
    да для до его ее её если есть еще ещё же за и из или им их к каждый как какая какие какими каким каких какова каковы каково какой какого \
    какому каком какую когда кого кому кем ком который которая которое которые которого которой которых которым ко ли либо \
    между меня мне много могу может можно мой моя мы на над надо нам нас наш наша наши не него нее неё нет ни них но ну нужно о \
    об обо он она они оно от отчего очень по под после почему при про с свой своего своей свои себе себя сейчас сколько со \
    так также такой там тебя тем то тоже только том тот того той тому ту ты тут у уже чего чей чем через что чтобы чья \
    чьё чьи чему эта эти это этого этой этом этот эту этих я является являются являлся была куда откуда зачем";

pub(super) const UKRAINIAN: &str = "а або але б без би був була були було бути в вам вас ваш ваша ваше ваші вже ви від він вона вони воно \
    все всі для до де дуже є ж же з за зі й його її їх із і коли кого кому ким котрий куди лише ми мене мені мій моя можна може на над нам нас \
    наш не немає ні о об один от по під після при про скільки та так такий там те ти тим то тобто того той тому тут у \
    хто це цей ця цього цієї ці цих чи чий чим чому що щоб щодо як яка яке який які яких якого якої якому якій яким якими я звідки навіщо";

pub(super) const POLISH: &str = "a aby ale bez bo by był była było były być być chce ci ciebie co czego czemu czy czyj czyja czyje czym dla do \
    dlaczego gdy gdzie go i ich ile im inne iż ja jak jaka jaki jakie jakich jakiego jakim jaką ją je jego jej jemu jest \
    jestem jeszcze jeśli już kiedy kim kogo komu kto która które którego której który których którym którzy którą lub ma \
    mają mam mi mnie mogę może można mój moja moje my na nad nam nas nasz nie nim niż o od on ona one oni ono oraz po pod \
    ponieważ przed przez przy są się skąd sobie swój swoje ta tak także tam te tego tej temu ten to tu tutaj twój ty tych \
    tylko tym u w wam was wasz we wszystko wy z za ze że żeby";

pub(super) const CZECH: &str = "a aby ale ani asi az až bez bude budou by byl byla byli bylo být co což čeho čemu čí čím či dle do ho i \
    já jak jaká jaké jaký jakého jakou jakým jako je jeho jej její jejich jen ještě ji jich jim jsem jsme jsou jste k kam kde kdo kdy \
    když ke koho komu kolik která které který kterého které kteří kterou kterým ma má máme mám máte mě mezi mi mít mně můj může \
    můžete mohu my na nad nám nás náš ne nebo než nic není o od odkud on ona oni ono po pod podle pokud pro proč proto \
    protože před přes při s se si sice svůj svou své ta tak také tam té ten tento této tím to toho tohoto tom tomto tu ty u už v vám vás \
    váš ve však vy z za ze že";

pub(super) const ROMANIAN: &str = "a acea aceasta această acele acest acesta aceste acestea ai al ale am ar are as aș asta atât au avea avem \
    aveți ca că când câți câte cât câtă care căror cărei cărui ce cel cele celor cei cine cu cum cui da dacă dar de decât deci din \
    după e ea ei el ele era este eu fi fie fost i îi îl îmi în între își îți la le li lor lui mă mai mea mei mele meu mi mult nu o or ori \
    pe pentru peste până poate pot prin s sa să sale sau se și sunt său spre sub te tot tu un una unde unei unele unor \
    unui unul unuia va vă vor vreau ți";

pub(super) const HUNGARIAN: &str = "a az abban ahhoz aki akik amely amelyek ami amit arra azok azon azt azzal be csak de e ebben egy egyik ehhez \
    el én és ez ezek ezt fel hány hanem hogy hogyan hol honnan hová ha hova i is itt ki kik kit kinek kell kapcsolatban le legyen \
    lehet lesz lett ma már meg melyik melyek mely mennyi mert mi mikor milyen minden miért mit mivel most nagyon nem neki \
    nincs ő ők ön olyan ott össze pedig s saját sem sok számára szerint te tehát több úgy után vagy vagyok van vannak \
    volt voltak által";

pub(super) const GREEK: &str = "από απο αν αλλά αυτά αυτές αυτή αυτό αυτοί αυτός αυτού αυτών για γιατί δε δεν εγώ είναι ήταν εκεί εκείνη \
    εκείνο εμείς ένα ένας ενός έχει έχουν έχω είχε είχαν εσείς εσύ η ή θα ίσως και κατά κάθε κι μας με μετά μεταξύ μέσω μη μην μια μία \
    μιας μου μπορεί μπορώ να ο οι όμως όπως όπου όσο όταν ότι ποια ποιά ποιες ποιο ποιοι ποιον ποιος ποιός ποιου ποιούς ποιων \
    ποιους πόσα πόσες πόση πόσο πόσοι πόσους πότε που πού προς πρέπει πώς πως σας σε στα στη στην στις στο στον στους σου τα \
    τη την της τι τις το τον του τους τότε των υπήρχε υπήρχαν υπάρχει υπάρχουν ως ώστε";

pub(super) const TURKISH: &str = "acaba ama ancak ait bana bazı belki ben benim beri bile bir biri biz bizim böyle bu buna bunda bundan bunlar \
    bunu bunun burada çok çünkü da daha de defa değil diye dolayı edildi edilen eden eder edilir edilmiştir etmek etti ettiği fakat gibi \
    göre hangi hangisi hangileri hem hep hepsi her hiç için ile ilgili ise iken ilk işte kaç kaçıncı kaçı kadar karşı kendi kez \
    ki kim kime kimdir kimi kimin kimler kimlerdi kimdi lazım mı mi mu mü mıdır midir mudur müdür nasıl nasıldır nasıldı ne neden nedeniyle \
    nedir neydi neler nelerdir nerede nereden neresi neresidir nereye neyi neye nin niçin niye o olan olarak oldu olduğu olduğunu olmak olması \
    olmuştur olur on ona ondan onlar onların onu onun orada oysa öyle pek rağmen sana sadece sanki sen siz sizin sonra şey şu şöyle \
    tarafından tüm üzere var vardı vardır ve veya ya yani yapılan yapmak yaptı yerine yok yoksa zaman zamandır";

pub(super) const ARABIC: &str = "أ إذ إذا أن إن أنا أنت انت أنه إنه أنها أو أي أية أين إلى ألا أم أما أمام أثناء أجل بأن بعد بعض بل به بها بين \
    بكم بما بماذا تحت تلك تكون تم ثم ثمة حتى حول حيث حين خلال دون ذلك ذات سوف شيء عبر على عليه عليها عن عند عندما عنه عنها غير في فيه فيها فيما \
    فما قبل قد كان كانت كانوا كل كم كما كذلك كيف كي لا لأن لدى لدي لديه لديها لقد لك لكن لكي لم لما لماذا لن له لها لهم لو \
    ليس ليست ما ماذا متى مثل مع من منذ منه منها مما ممن من نحن نعم هذا هذه هؤلاء هل هم هما هن هنا هناك هو هي و ومن وما وهل وكيف وكم وأين ومتى ولماذا وفي ولا \
    ولم وهو وهي وقد وكان وكانت وعلى والذي والتي الآن التي الذي الذين اللذان اللتان اللاتي يكون يمكن يمكنني يجب يتم ب ل ك ف يوجد توجد هنالك";

pub(super) const HINDI: &str = "अपना अपनी अपने अब अगर आप इन इस इसका इसकी इसके इसे इसमें उन उनका उनकी उनके उन्हें उन्होंने उस उसका उसकी \
    उसके उसने उसे एक एवं ऐसे और कई कब कभी कर करता करती करते करना करने कहा कहाँ कहां का कि किन किस किसका किसकी किसके किसने किसी किसे \
    किया की कितना कितनी कितने कुछ के को कोई कौन कौनसा कौनसी कौनसे क्या क्यों क्योंकि गई गए गया चाहिए जब जहाँ जा जाता जाती \
    जाते जाने जिस जिसका जिसके जिसमें जिसे जिन जिनके जो तक तथा तब तो था थी थे थीं दिया द्वारा दो नहीं ना ने पर पास फिर बहुत बाद भी मुझे में मेरा \
    मेरी मेरे मैं यदि यह यहाँ या ये रहा रही रहे लिए लेकिन लिये वह वहाँ वाला वाली वाले वे सकता सकती सकते से सा सी हम हमारे ही हुआ हुई हुए हूँ है हैं हो \
    होता होती होते होना होने कैसे कैसा कैसी";

pub(super) const VIETNAMESE: &str = "ai anh bao bằng bị bởi các cái cần chỉ cho chúng có còn của cùng cũng đã đang đâu để đến đi đó \
    được do em gì hay hơn không khi là lại làm lên mà mấy mình một nào này nên nếu ngoài nhau như nhưng những ở ông qua \
    ra rằng rất rồi sao sau sẽ tại thế theo thì tôi trên trong trước từ từng và vẫn vào về vì với vậy nhiêu";
