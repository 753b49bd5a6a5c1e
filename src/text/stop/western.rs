//! Stop words of the languages of western Europe, as written.

pub(super) const ENGLISH: &str = "a about ah alright am an and any anyone are arent as at be been being but by can could couldnt \
    did didnt do does doesnt doing dont either else for from get got had hadnt has hasnt have havent having he her here \
    hers him his how i id if ill im in into is isnt it its ive just let like may me might mine much must my myself no \
    not of off oh ok okay on or our ours out please shall she should shouldnt so some such tell than thank thanks that the their theirs them \
    then there theres these they this those to too until up us very want was wasnt we were werent what whats when where \
    wheres which while who whom whose why will with wont would wouldnt you your yours youre youve";

pub(super) const COMMON_ENGLISH: &str = "able across actual actually after again ago all allow allowed almost along already also \
    although always another anybody anything anyway around ask asked away back bad because become before begin behind \
    believe best better between big bit both bring brought came case certain come comes coming correct day days \
    different done down during each early easily easy end enough even ever every everybody everyone everything exact \
    exactly fact far fast feel few find finding fine first follow forward found full gave general getting give given \
    gives giving glad go goes going gone good got great guy guys half hand happen happened happening happens hard hear \
    heard hello help hey hi high hope idea inside instead job keep keeps kept kind kinds know known last late later \
    least less let lets life like likely line little live long longer look looking lot lots made main make \
    makes making many matter maybe mean means meant middle moment more most move much near nearly need needed needing \
    needs never new next nice nobody none nothing now often old once one ones onto other others otherwise outside \
    over own part past people per perhaps person piece place plan please plus possible possibly probably put quick \
    quickly quite rather read ready real really reason right run said same saw say saying says see seem seems seen sent \
    several show shown shows simple simply since sit situation small somebody someone something sometimes somewhere soon \
    sort speak start started stay still stop stuff such sure take taken takes taking talk tell thing things \
    think though thought three through times today together told took toward towards tried true try trying turn turned \
    two under understand until upon use used useful uses using usual usually various wait wants wanted way ways well went \
    whatever while whole wish within without wonder wondering word words work worked working works world wrong yes yet";

pub(super) const GERMAN: &str = "aber alle als also am an auch auf aus bei bin bis bitte da damit dann das dass dein deine dem den \
    denn der des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es \
    euer eure für gibt habe haben hat hatte ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja kann kannst \
    können könnt könnte man mein meine meinem meinen meiner mich mir mit muss müssen möchte nach nein nicht noch nur ob \
    oder ohne sein seine seinem seinen seiner sich sie sind so soll sollte über um und uns unser unsere unter vom von \
    vor wann war waren warum was welche welchem welchen welcher welches wem wen wenn wer werden wie will wir wird wo \
    wohin womit wurde wurden zu zum zur";

pub(super) const FRENCH: &str = "a ai au aux avec ce ces cet cette ceci cela comment combien dans de des du elle elles en es est et \
    être eu il ils je la le les leur leurs lui ma mais me mes moi mon ne nos notre nous on ont ou où par pas peut peux \
    pour pourquoi puis quand que quel quelle quelles quels qui quoi sa sans se ses si son sont sur ta te tes toi ton tu \
    un une vos votre vous y à ça été être";

pub(super) const SPANISH: &str = "a al algo como cómo con cual cuál cuales cuáles cuando cuándo cuanto cuánto cuánta de del donde \
    dónde el él ella ellas ellos en entre era es esa ese eso esta está este esto fue ha hay la las le les lo los más me \
    mi mis muy no nos nosotros o para pero por porque puede puedo que qué quien quién se ser si sí sin sobre son su sus \
    también te tengo tiene tu tus un una uno unos usted y ya yo";

pub(super) const ITALIAN: &str = "a ad ai al alla alle anche che chi ci come con cosa cui da dai dal dalla dei del della delle di \
    dove e è gli ha hai ho i il in io la le lei lo loro lui ma mi mia mio nei nel nella noi non o per perché più posso \
    può qual quale quali quando quanto quanti questa questo se sei si sono sta su sua sue sui sul suo ti tra tu tua tuo \
    un una uno vi voi";

pub(super) const DUTCH: &str = "aan als bij dan dat de den der deze die dit door een en er ga geen had heb hebben heeft het hij hoe \
    hoeveel hun ik in is je jij jullie kan kun kunnen maar me meer men met mij mijn moet na naar niet nog nu of om onder \
    ons onze ook op over te tot u uit uw van veel voor waar waarom wanneer was wat we wel welk welke wie wij wil word \
    worden wordt ze zich zij zijn zo zou";

pub(super) const PORTUGUESE: &str = "a ao aos as às até com como da das de dela dele do dos e é ela elas ele eles em entre era essa \
    esse esta está este eu foi há isso isto já lhe mais mas me meu minha muito na não nas no nos nós nossa nosso o onde \
    os ou para pela pelo por porque posso pode qual quais quando quanto que quem se sem ser seu sua são também te tem \
    tenho um uma você vocês";

pub(super) const SWEDISH: &str = "alla allt att av blev bli blir de dem den denna deras dess det detta dig din dina ditt du där då \
    efter ej eller en er era ett finns för från får få ha hade han hans har henne hennes hon honom hur här i in inte jag ju \
    kan kunde man med mellan men mig min mina mitt mot mycket måste ni nu när någon något några och om oss på sedan sig sin \
    sina sitt ska skulle som så till under upp ut utan vad var vara varför varje vem vems vi vid vilka vilken vilket vill \
    är åt över";

pub(super) const DANISH: &str = "af alle alt at blev blive bliver da de dem den denne der deres det dette dig din dine dit dog du \
    efter eller en end er et for fordi fra får få ham han hans har have havde hende hendes her hos hun hvad hver hvilke \
    hvilken hvilket hvis hvor hvordan hvorfor hvornår hvem i ikke ind jeg jer jeres jo kan kunne man med meget men mig min \
    mine mit mod må ned noget nogle nogen nu når og også om op os over på selv sig sin sine sit skal skulle som til ud \
    under var vi vil ville vor være været";

pub(super) const NORWEGIAN: &str = "alle at av ble bli blir da de deg dem den denne der deres det dette din dine ditt du eller en \
    er et etter for fordi fra får få ham han hans har hadde henne hennes her hun hva hver hvem hvilke hvilken hvilket hvis \
    hvor hvordan hvorfor når i ikke inn jeg kan kunne man med meg men mer min mine mitt mot mye må ned noe noen nå og også \
    om opp oss over på seg selv sin sine sitt skal skulle som så til ut under var vi vil ville være vært vår";

pub(super) const FINNISH: &str = "ei eivät ja jos joka jotka jossa josta joita kanssa ketkä kuin kuinka kuka ketä kenen kenelle \
    koska kun kuten me mikä mikäli miksi millainen milloin minkä minä missä mistä mihin mitkä mitä miten mutta myös ne \
    niin noin nyt ole olen olet oli olivat olla on ovat saa sekä se sen siinä siitä sinä sitä tai te tämä tämän tästä \
    tässä voi voin voidaan voiko onko vai että hän he hänen heidän niiden itse paljonko montako";
