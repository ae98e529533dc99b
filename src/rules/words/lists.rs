//! The lists of phrases. Only what is certain: a phrase that is right in ordinary copy does not belong here, or has its
//! exceptions in [`List::Harmless`].

/// What a phrase stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// What looks like a phrase of another list and is not: `非保本`, `保证金`.
    Harmless,
    /// Return or principal is promised.
    Promise,
    /// The three superlatives that the law names.
    Superlative,
    /// Others of their kind.
    Boast,
    /// `低风险`, `秒到账` and the like.
    Lure,
    /// Borrowing made easy, or good for you.
    Overborrow,
    /// An investment told as if it were a deposit.
    LikeDeposit,
    /// State, experts, stars and customers as witnesses.
    Endorsement,
    /// Only little or short.
    Scarcity,
    /// Something is offered: a benefit, a price, a call to buy.
    Offer,
    /// The offer is a fact already: `已到账`.
    Done,
    /// Asks for what a bank never asks for.
    AsksSecret,
    /// The way out: `拒收请回复R`.
    OptOut,
    /// Risk is warned of.
    RiskWarning,
    /// The yearly cost of a credit.
    YearlyCost,
    /// What a performance benchmark needs beside it.
    BenchmarkBasis,
    /// A yield that is expected.
    ExpectedYield,
    /// Price, amount or term of a credit.
    CreditTerms,
    /// A machine says that it is one.
    Machine,
    /// The way to a person.
    Human,
    /// A deposit bought with a gift.
    DepositGift,
    /// Asks to come back who has left.
    ComeBack,
    /// A private pension is locked.
    PensionLock,
    /// What a pension must not say.
    PensionSaving,
    /// Speaks of investments.
    SaysInvestment,
    /// Speaks of credit.
    SaysCredit,
    /// Speaks of deposits.
    SaysDeposit,
    /// Hints at the answers of an assessment, or acts for the customer.
    Coaching,
    /// A link shortener that anybody can use.
    Shortener,
}

impl List {
    /// For findings: "of the list of …".
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Harmless => "harmless phrases",
            Self::Promise => "promises of return",
            Self::Superlative => "superlatives named by the law",
            Self::Boast => "superlatives",
            Self::Lure => "inducing words",
            Self::Overborrow => "inducements to borrow",
            Self::LikeDeposit => "words of deposits",
            Self::Endorsement => "endorsements",
            Self::Scarcity => "words of scarcity",
            Self::Offer => "offers",
            Self::Done => "facts",
            Self::AsksSecret => "requests for secrets",
            Self::OptOut => "ways out",
            Self::RiskWarning => "warnings of risk",
            Self::YearlyCost => "yearly costs",
            Self::BenchmarkBasis => "grounds of benchmarks",
            Self::ExpectedYield => "expected yields",
            Self::CreditTerms => "terms of credit",
            Self::Machine => "machines that say what they are",
            Self::Human => "ways to a person",
            Self::DepositGift => "gifts for deposits",
            Self::ComeBack => "requests to subscribe again",
            Self::PensionLock => "conditions of pensions",
            Self::PensionSaving => "savings of pensions",
            Self::SaysInvestment => "investments",
            Self::SaysCredit => "credit",
            Self::SaysDeposit => "deposits",
            Self::Coaching => "what the customer does himself",
            Self::Shortener => "public link shorteners",
        }
    }
}

/// Phrases of a list, each behind a `|`.
pub(super) const ALL: &[(List, &str)] = &[
    (
        List::Harmless,
        "\
         |保证金|保证续保|保证人|保本付息日|最近|最后还款日|最低还款额|最高可享|最高可贷|第一时间\
         |第一步|第一季度|第一课|第一次|第一笔|第一张|第一位|第一件|第一条|第一站|第一份|第一轮|第一批|第一阶段|第一天|第一期|唯一识别|唯一标识|唯一账号|唯一渠道\
         |中低风险|较低风险|理财非存款|非存款|首选项|不是存款|并非存款|第一道|第一页|一生只有一次\
         |第一周|第一年|第一个",
    ),
    (
        List::Promise,
        "\
         |保本|保息|保本保息|稳赚不赔|稳赚|包赚|稳赢|零风险|0风险|无风险|保收益|保证收益|承诺收益\
         |收益有保障|收益保障|收益保证|刚性兑付|刚兑|兜底|本金无忧|本金安全有保障|旱涝保收\
         |只赚不赔|绝对安全|guaranteed return|guaranteed returns|guaranteed income\
         |guaranteed profit|risk-free|risk free|no risk|zero risk|cannot lose|can't lose\
         |safe as a deposit|as safe as a deposit|double your money|capital guaranteed\
         |guaranteed principal",
    ),
    (
        List::Superlative,
        "\
         |国家级|最高级|最佳",
    ),
    (
        List::Boast,
        "\
         |第一|唯一|顶级|首选|最好|最高收益|最优惠|最低价|最强|最安全|最受欢迎|全网最低|史上最\
         |独一无二|无与伦比|绝无仅有|极致收益|王牌",
    ),
    (
        List::Lure,
        "\
         |低风险|低门槛|秒到账|高收益|无成本|零成本|0成本|高回报|超高收益|躺赚|暴富",
    ),
    (
        List::Overborrow,
        "\
         |零门槛|0门槛|无门槛|秒批|秒下款|不看征信|无视征信|免征信|黑户可贷|人人可贷|轻松借\
         |随便借|想花就花|想借就借|借钱投资|借钱理财|贷款理财|贷款炒股|花明天的钱|提前享受人生\
         |借钱不求人|improves your financial situation|improve your finances\
         |improves your finances|guaranteed approval|no credit check|form of saving|easy money",
    ),
    (
        List::LikeDeposit,
        "\
         |和存款一样|跟存款一样|像存款一样|与存款一样|同存款一样|替代存款|存款替代|储蓄型理财\
         |保本型基金|比存款高|高于存款|存款利息|比定期高|利息更高|相当于存款|活期利息|定期利息\
         |like a deposit|better than a deposit|alternative to a deposit",
    ),
    (
        List::Endorsement,
        "\
         |央行推荐|监管认可|监管推荐|监管批准推荐|银保监会备案保证|金融监管总局认可|国家背书\
         |政府背书|国家认可|央行认可|专家推荐|专家力荐|名人推荐|明星推荐|明星代言|明星同款\
         |客户晒单|晒收益|内部消息|内幕消息|央视推荐|endorsed by the regulator\
         |approved by the central bank|recommended by experts",
    ),
    (
        List::Scarcity,
        "\
         |仅剩|最后一天|最后机会|限量|秒杀|手慢无|即将售罄|only today|last chance|last day",
    ),
    (
        List::Offer,
        "\
         |立减|满减|优惠券|礼券|代金券|立减券|特惠|红包|抽奖|返现|返利|福利|大礼包|限时优惠\
         |专享优惠|折扣|立即申请|立即购买|立即申购|立即办理|马上申请|马上办理|马上购买|立即抢购\
         |抢购|免费领|领取礼|加息券|满赠|买赠|助力|砍一刀|apply now|buy now|special offer\
         |cash back|cashback|limited offer|discount",
    ),
    (
        List::Done,
        "\
         |已到账|已入账|已发放|已放入|已存入|将到期|将失效|credited|has been paid",
    ),
    (
        List::AsksSecret,
        "\
         |回复验证码|提供验证码|输入验证码|告知验证码|发送验证码给|回复密码|提供密码|告知密码\
         |发送密码|提供身份证号|回复身份证号|发送身份证|提供银行卡密码|提供卡号和密码\
         |reply with your password|send your password|reply with your pin|send us your pin\
         |reply with the code|send us the code|tell us your password",
    ),
    (
        List::OptOut,
        "\
         |拒收请回复|退订回|退订请回|回复退订|回复td退订|回t退订|回td退订|回r退订|拒收回|拒绝请回\
         |退订点|点击退订|取消订阅|reply stop|text stop|stop to end|stop to opt out|unsubscribe\
         |opt out|opt-out",
    ),
    (
        List::RiskWarning,
        "\
         |投资有风险|投资需谨慎|投资须谨慎|理财非存款|产品有风险|基金有风险|市场有风险|股市有风险\
         |入市需谨慎|不构成投资建议|保险有风险|可能损失本金|本金可能受损|capital at risk\
         |capital is at risk|value of investments can go down|may lose value\
         |you may get back less",
    ),
    (
        List::YearlyCost,
        "\
         |年化|综合融资成本|年利率|apr|annual percentage rate|representative apr\
         |borrowing money costs money",
    ),
    (
        List::BenchmarkBasis,
        "\
         |业绩比较基准|过往业绩|历史业绩|不代表|不预示|测算依据|past performance|benchmark",
    ),
    (
        List::ExpectedYield,
        "\
         |预期收益率|预期年化|预期收益|预计年化收益|预计收益率|expected yield|expected return",
    ),
    (
        List::CreditTerms,
        "\
         |低息|免息|日息|月息|月供|每期|费率|利率|分期手续费|借款期限|贷款期限|额度最高|最高可贷\
         |最高可借|interest-free|interest free|low interest|per month|monthly payment",
    ),
    (
        List::Machine,
        "\
         |智能客服|智能助手|机器人|自动回复|系统自动|智能语音|ai助手|ai客服|virtual assistant\
         |automated|digital assistant|chatbot",
    ),
    (
        List::Human,
        "\
         |转人工|人工客服|人工服务|客服热线|专人|工作人员|拨打|human|agent|call us|a person",
    ),
    (
        List::DepositGift,
        "\
         |存款送|存就送|存款返现|存款抽奖|存款有礼|高息揽储|贴息|存款返|存满送|新增存款送\
         |存定期送",
    ),
    (
        List::ComeBack,
        "\
         |重新订阅|恢复订阅|恢复接收|重新接收|重新授权接收|重新开启推送|re-subscribe|resubscribe\
         |subscribe again",
    ),
    (
        List::PensionLock,
        "\
         |领取条件|方可领取|不可提前支取|不得提前支取|封闭运行|退休后领取|达到领取|locked in\
         |cannot be withdrawn",
    ),
    (
        List::PensionSaving,
        "\
         |省税|节税|少缴税|抵税|退税|避税|tax saving|save tax",
    ),
    (
        List::SaysInvestment,
        "\
         |理财|基金|信托|资管|申购|净值|mutual fund|wealth product|investment fund|unit trust",
    ),
    (
        List::SaysCredit,
        "\
         |贷款|借款|信用贷|消费贷|借钱|首贷|贷一笔|额度待使用|loan|borrow",
    ),
    (
        List::SaysDeposit,
        "\
         |存款|存单|定期储蓄|savings account|deposit account",
    ),
    (
        List::Coaching,
        "\
         |测评时请选择|测评请选择|测评建议选|问卷请选择|问卷建议选|选择进取型即可|测评答案|代您填写|代客填写|帮您填写测评|代您测评|代客测评\
         |代您签字|代客签字|代签名|代您操作|代客操作|帮您下单|代您下单|代您购买|代您申购|choose aggressive|we fill in the questionnaire\
         |trade on your behalf|sign for you",
    ),
    (
        List::Shortener,
        "\
         |t.cn/|dwz.cn/|suo.im/|url.cn/|bit.ly/|tinyurl.com/|goo.gl/|is.gd/|ow.ly/|t.co/|985.so/\
         |rrd.me/|mrw.so/|cutt.ly/|rebrand.ly/",
    ),
];
