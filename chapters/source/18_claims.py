# %% [markdown]
# # 18 · Claims: true, false, or under which condition?
#
# You have read the derivations and run the experiments. Now you meet sentences that are said about them in study notes,
# in talks and on the web. Some are right, many are right only under a condition that is left out, and many are wrong.
# Can you tell which is which? This chapter is a game with 121 such sentences. A computation settles each of them, and you
# can run it.
#
# **After this chapter you can**
#
# - turn a sentence into a number that decides about it,
# - say which condition a popular claim leaves out,
# - tell which sections of the course you should read again,
# - translate between the letters of Ho et al., DDIM, VDM, EDM, diffusers and notes that square their letters.
#
# **You need** nothing new; each claim names the section that treats it.
#
# **Time:** About {road} minutes without the game; the detours add {detours}. Allow half a minute for each claim of the
# game. It runs in about half a minute.
#
# **For what comes next:** this is the last chapter.
#
# **In the papers:** [Ho20], [Song21a], [Kin21] and [Kar22] for the notations.

# %%
from collections import Counter

from ddpm_lab import schedules
from ddpm_lab.course import claims, diagrams, explorers, figures, notation
from ddpm_lab.course.claims import game

schedule = schedules.linear()

# %% [markdown]
# ## A first look: how is a claim settled?
#
# Here is a sentence that you may have heard: "Earlier diffusion models had to learn the forward process; DDPM was the
# first to fix it." **Predict.** True, false, or true under a condition? And what could you compute to find out?
#
# A claim in the **ledger** has four parts: what is said, a **verdict**, the statement that holds, and a check. The check
# computes numbers and says in which interval each of them must lie for the verdict to stand.

# %%
# claim: E78
one = claims.LEDGER["E78"]
evidence = one.check()
figures.show(diagrams.claim_evidence(one, evidence),
             alt="The claim, its verdict, and gaps of the bound: other rates help at 10 steps.")
for number in evidence.numbers:
    print(f"{number.what}: {number.shown}, wanted {number.wanted}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It is *loose*: only a more exact sentence holds.
#
# </details>
#
# The *form* of the forward process, Gaussian noise added in
# steps, was already fixed in the first paper [SD15]. What could be learned were the rates $\beta_t$, and DDPM fixes these,
# too. The check adds a number: do the rates matter? With 10 steps a better choice lowers the gap of the bound to 0.69 of
# what the linear betas leave; with 100 steps it hardly changes, 0.98.
#
# There are four verdicts:
#
# | verdict | meaning | your answer |
# |---|---|---|
# | right | it holds as it stands | `t` |
# | wrong | it does not hold, or holds only by accident | `f` |
# | needs a condition | it holds under a condition that it leaves out | `c` |
# | loose | it holds once it is worded more exactly | `c` |

# %% [markdown]
# ## The game
#
# The claims come in ten rounds. Rounds 1 to 7 follow the chapters from 05 on; rounds 8 to 10, about the probability theory
# behind them, are detours. Each round has two cells. The first prints the claims. In
# the second, write `"t"`, `"f"` or `"c"` after each claim that you want to answer, and run it: only then does it show the
# verdicts on these claims, with the section that treats each. Claims without an answer stay covered.
#
# Before you answer, ask: *what would I have to compute?* There is no point in arguing about a claim that no number could
# decide.

# %%
scores = {}

# %% [markdown]
# ### Round 1: From data to noise
#
# Twelve claims about what chapters 05 and 06 treat.

# %%
game.show("forward")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E06": "", "E19": "", "E42": "", "E60": "",
    "E62": "", "E70": "", "E88": "", "E106": "",
    "E109": "", "E110": "", "E112": "", "E120": "",
}
scores["forward"] = game.score("forward", answers)
scores["forward"]

# %% [markdown]
# ### Round 2: Schedules and SNR
#
# Twelve claims about what chapter 06 treats.

# %%
game.show("schedules")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E01": "", "E10": "", "E15": "", "E25": "",
    "E69": "", "E90": "", "E91": "", "E92": "",
    "E93": "", "E94": "", "E95": "", "E96": "",
}
scores["schedules"] = game.score("schedules", answers)
scores["schedules"]

# %% [markdown]
# ### Round 3: The way back, given both ends
#
# Twelve claims about what chapters 07 and 07b treat.

# %%
game.show("posterior")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E02": "", "E03": "", "E05": "", "E41": "",
    "E71": "", "E98": "", "E104": "", "E111": "",
    "E113": "", "E114": "", "E115": "", "E116": "",
}
scores["posterior"] = game.score("posterior", answers)
scores["posterior"]

# %% [markdown]
# ### Round 4: The bound and its weights
#
# Twelve claims about what chapters 08 and 08b treat.

# %%
game.show("bound")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E04": "", "E11": "", "E17": "", "E20": "",
    "E26": "", "E61": "", "E64": "", "E65": "",
    "E66": "", "E72": "", "E77": "", "E119": "",
}
scores["bound"] = game.score("bound", answers)
scores["bound"]

# %% [markdown]
# ### Round 5: What the network predicts
#
# Twelve claims about what chapters 09 and 11 treat.

# %%
game.show("predictions")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E14": "", "E16": "", "E40": "", "E79": "",
    "E80": "", "E81": "", "E82": "", "E83": "",
    "E84": "", "E87": "", "E89": "", "E102": "",
}
scores["predictions"] = game.score("predictions", answers)
scores["predictions"]

# %% [markdown]
# ### Round 6: Sampling
#
# Twelve claims about what chapters 07b and 10 treat.

# %%
game.show("reverse")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E07": "", "E08": "", "E39": "", "E67": "",
    "E68": "", "E76": "", "E99": "", "E100": "",
    "E101": "", "E103": "", "E107": "", "E118": "",
}
scores["reverse"] = game.score("reverse", answers)
scores["reverse"]

# %% [markdown]
# ### Round 7: Practice
#
# Thirteen claims about what chapters 10b to 15b treat.

# %%
game.show("practice")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E09": "", "E21": "", "E22": "", "E23": "",
    "E24": "", "E73": "", "E74": "", "E75": "",
    "E78": "", "E85": "", "E105": "", "E117": "",
    "E121": "",
}
scores["practice"] = game.score("practice", answers)
scores["practice"]

# %% [markdown]
# ### Detour · Round 8: Bayes' rule, coins and Gaussians
#
# Twelve claims about what chapters 01 and 02 treat.

# %%
game.show("bayes")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E27": "", "E28": "", "E29": "", "E30": "",
    "E31": "", "E32": "", "E33": "", "E34": "",
    "E35": "", "E63": "", "E97": "", "E108": "",
}
scores["bayes"] = game.score("bayes", answers)
scores["bayes"]

# %% [markdown]
# ### Detour · Round 9: Estimators
#
# Twelve claims about what chapters 03, 04 and 14 treat.

# %%
game.show("estimators")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E36": "", "E37": "", "E43": "", "E44": "",
    "E46": "", "E47": "", "E51": "", "E52": "",
    "E53": "", "E54": "", "E55": "", "E86": "",
}
scores["estimators"] = game.score("estimators", answers)
scores["estimators"]

# %% [markdown]
# ### Detour · Round 10: The bound and the VAE
#
# Twelve claims about what chapters 04 and 04b treat.

# %%
game.show("elbo")

# %%
answers = {  # t: true, f: false, c: under a condition, or worded more exactly
    "E12": "", "E13": "", "E18": "", "E38": "",
    "E45": "", "E48": "", "E49": "", "E50": "",
    "E56": "", "E57": "", "E58": "", "E59": "",
}
scores["elbo"] = game.score("elbo", answers)
scores["elbo"]

# %% [markdown]
# ### How did it go?
#
# Read again where a round went badly: the verdicts name the sections.

# %%
game.summary(scores)
print()
for verdict, n in Counter(one.verdict for one in claims.LEDGER.values()).most_common():
    print(f"{n:3} of {len(claims.LEDGER)} claims: {verdict}")

# %% [markdown]
# ## Try it: one claim at a time
#
# The same claims in another form: choose a round and a claim, and guess. The check runs when you press a button (which
# may take a few seconds the first time), and its picture appears.

# %%
explorer = explorers.true_or_false()
print(explorer)
explorer

# %% [markdown] topics="C008 C009"
# ## Whose letters?
#
# A claim can be wrong because of its letters alone: a formula is copied from one paper, and its symbols are read as those
# of another. $\alpha_t$ alone has four meanings. Several rounds above contain such a slip.
#
# **Predict.** A page says $\alpha_T = 0.0064$ for the linear schedule with $T = 1000$. Whose $\alpha$ is it?

# %%
for last in (0.98, 0.98995, 0.00635, 4.04e-05):
    print(f"alpha_T = {last:g}: {', '.join(notation.which_alpha(last, schedule))}")
print()
for name in ("Ho", "DDIM", "VDM", "EDM", "squared letters"):
    now = {letter: float(table[500]) for letter, table in notation.letters(schedule, name).items()}
    print(f"{name:<16}" + ", ".join(f"{letter} {value:.5g}" for letter, value in now.items()))

# %% [markdown]
# <details><summary>Answer</summary>
#
# VDM's: there $\alpha_t$ is the factor of the clean data.
#
# </details>
#
# The other three are the signal variance that a single step keeps (Ho), its root (notes with **squared letters**,
# which call the square roots of Ho's $\alpha_t$, $\beta_t$, $\bar\alpha_t$ and $1-\bar\alpha_t$ by the letters
# $\alpha_t$, $\beta_t$, $\bar\alpha_t$ and $\bar\beta_t$), and the signal variance that is left (DDIM). One line
# translates:
#
# $$\bar\alpha_t = \alpha_t^{\text{DDIM}} = \big(\alpha_t^{\text{VDM}}\big)^2 = \frac{1}{1 + e^{\gamma_t}}
# = \frac{1}{1 + \sigma_{\text{EDM}}^2} = \big(\bar\alpha_t^{\text{squared}}\big)^2. \tag{18.1}$$

# %%
# eq: 18.1
fixing = {"DDIM": "alpha", "VDM": "gamma", "EDM": "sigma", "squared letters": "abar",
          "diffusers": "alphas_cumprod"}
for name, letter in fixing.items():
    table = notation.abar_from(name, notation.letters(schedule, name)[letter])
    far = (table / schedule.abar - 1).abs().max()
    print(f"{name:<16}abar from its {letter}: within 1e-11 at all t: {bool(far < 1e-11)}")

# %% [markdown]
# Everything else follows. The next cell computes eleven quantities at $t = 500$, each from the letters of one source
# alone, in six notations. (diffusers has no row for clean data: row 0 of its tables is our $t = 1$.) The last two lines
# are the weights of the bound, which look most different:
#
# $$\frac{\beta_t^2}{2\tilde\beta_t\,\alpha_t(1-\bar\alpha_t)} = \tfrac12\big(e^{\gamma_t - \gamma_{t-1}} - 1\big)
# = \tfrac12\Big(\frac{\sigma_t^2}{\sigma_{t-1}^2} - 1\Big)_{\text{EDM}}. \tag{18.2}$$

# %%
# eq: 18.2
for quantity, row in notation.crosswalk(schedule, 500).items():
    value = row["Ho"]
    alike = sum(abs(other / value - 1) < 1e-9 for other in row.values())
    print(f"{quantity:<46}{value:>11.5g}   {alike} of {len(row)} agree")

# %% [markdown]
# The claims of this chapter were found in five study notes, numbered 000 to 004. Four of them write Ho's letters, with
# exceptions:
#
# | notes | what to know before you read a formula |
# |---|---|
# | 000 | squared letters; and p is the fixed forward process there, q the learned one |
# | 001 | Ho's letters; $\sigma_q^2(t)$ is $\tilde\beta_t$ |
# | 002 | Ho's letters; but the $\alpha$ in its formula for DDIM's $\sigma_t$ is $\bar\alpha$ |
# | 003 | Ho's letters; but $\alpha_t, \sigma_t$ in its formula for $v$ are $\sqrt{\bar\alpha_t}, \sqrt{1-\bar\alpha_t}$ |
# | 004 | Ho's letters; $\Sigma(t)$ is $\tilde\beta_t$, and p and q are used for the same distribution in places |
#
# **Predict.** How large is the damage if you miss such an exception?

# %%
alpha, abar, tilde = schedule.alpha, schedule.abar, schedule.posterior_var
squared = notation.letters(schedule, "squared letters")
wrong = (1 - alpha[499]) / (1 - alpha[500]) * (1 - alpha[500] / alpha[499])
print(f"002, DDIM's variance at t = 500, alpha for abar: {wrong:.3e} instead of {tilde[500]:.3e}")
print(f"003, alpha^2 + sigma^2 at t = 300: {alpha[300] ** 2 + tilde[300]:.4f} instead of 1")
for t in (1, 500, 1000):
    b, bar = squared["beta"][t], squared["beta bar"][t]
    print(f"000, factor of the noise at t = {t}: beta / beta bar {b / bar:.4f}, "
          f"beta^2 / beta bar {b**2 / bar:.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# In these cases: a variance that is 500 times too small; squares that do not sum to 1; and, if the $\beta_t$ of notes
# 000, a root, is put where Ho's formula has $\beta_t$, a factor of the noise that is 100 times too large at $t = 1$.
#
# </details>
#
# Nothing crashes in any of them. So before you copy a formula, compute one number that you know: $\alpha_T$, or the
# variance of a step.

# %% [markdown]
# ## Do the checks hold on your machine?
#
# A ledger is only worth something if it can be audited. The next cell runs all checks of one round. For all 121, type
# `ddpm-lab claims` in a terminal; it fails if one no longer holds. `ddpm-lab claims E66` shows one claim in full, with
# its picture.

# %%
game.evidence("bound")

# %% [markdown]
# Algebra and quadrature agree to many digits, so their intervals are narrow. A simulation has a standard error, and its
# interval extends at least four of them to either side: a check that failed now and then by chance would soon be ignored.

# %% [markdown]
# ### Detour · All the verdicts
#
# Play first: the next cell shows the verdict on every claim.

# %%
game.verdicts()

# %% [markdown]
# ## A claim of your own
#
# The next sentence that you read about diffusion models is not in this ledger. You can settle it in the same way. An
# example: "Halve every $\beta_t$ and take twice as many steps: the same signal is left at the end." **Predict.** True,
# false, or under which condition?


# %%
def signal_left(beta, times):
    """What is left if every step is replaced by so many steps with betas as many times smaller."""
    return float((1 - beta / times).log().mul(times).sum().exp())


@claims.claim("E122", "schedules", verdict="needs a condition", source="000", taught="18 · Recap",
              said="Halve every beta and take twice as many steps: the same signal is left.",
              correct="Nearly, if the betas are small: it grows from 4.04e-05 to 4.18e-05.")
def mine():
    beta = schedule.beta[1:]
    return claims.Evidence([
        claims.near("linear betas: signal left", signal_left(beta, 1), 4.036e-05, 1e-8),
        claims.near("halved betas: ratio", signal_left(beta, 2) / signal_left(beta, 1),
                    (beta.square().sum() / 4).exp().item(), 1e-3),
        claims.at_least("one step of 0.9 against two of 0.45: ratio", 0.55**2 / 0.1, 3.0)])


for number in mine.check().numbers:
    print(f"{number.what}: {number.shown}, wanted {number.wanted}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# It holds, nearly, if the betas are small: then $\log(1-\beta) \approx -\beta - \beta^2/2$, and halving leaves the
# sum of the betas unchanged. The second term is halved, so the signal grows by a factor of about
# $\exp(\tfrac14\sum_t\beta_t^2) = 1.0341$; the exact one is 1.0346. With large betas it fails: one step of 0.9 leaves
# 0.1, two of 0.45 leave three times as much.
#
# </details>
#
# A good check has three parts: the number that the claim is about, a number
# that shows where it fails, and intervals that were chosen *before* you looked.
#
# **Your turn.** Change the cell: take a sentence from a page that you trust, and find the number that decides it.

# %% [markdown]
# ## Where to go on
#
# - **Read the papers**, with (18.1) at hand: [Ho20] first, then [Song21a], [Kin21] and [Kar22]. [17b](17b_systems.ipynb) has a reading
#   order and names implementations to read.
# - **Train on images of your own**: `ddpm-lab train --config digits --data FOLDER --out runs/mine`, and measure what comes
#   out as in chapter [14b](14b_sample_quality.ipynb), against the real-versus-real baseline.
# - **Rebuild it without looking**: the [cheat sheet](cheat_sheet.ipynb) has DDPM on one page; the complete program of
#   chapter [11](11_learning_to_denoise.ipynb) is 40 lines long.
# - **Look things up**: [glossary](glossary.ipynb), [all formulas](formulas.ipynb).
# - **Correct us.** If a verdict is wrong, a check shows it. A claim with its check is a welcome contribution.

# %% [markdown]
# ## Popular claims, checked
#
# All of this chapter is about them. Three that you will hear most often:
#
# - **The steps are needed because one jump returns an average**, $E[x_0 \mid x_T]$, not because the way back has to follow
#   the forward chain (E117).
# - **DDPM's loss gives a bound on the likelihood**; exact values need the probability-flow ODE (E77).
# - **Parameterizations differ by the weights of their losses**: for a perfect network all four are the same (E83).

# %% [markdown]
# ## Recap
#
# A claim becomes decidable when you say which number it is about. Of the sentences in the ledger fewer than one in ten is
# right as it stands; most of the others are not nonsense, but lack a condition (small steps, unit variance, many steps, an
# exact denoiser) or mix up letters. Computing one number is faster than arguing.
#
# **One formula to keep**
#
# $$x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1-\bar\alpha_t}\;\epsilon, \qquad \text{in whatever letters.}$$
#
# **To think about.** Which claim of *this course* would you check first, and by which number?
#
# **Before:** [17b · How does a denoiser become a system?](17b_systems.ipynb)
#
# **Read on:** [Ho20]; [Kin21] and [Kar22] with the letters of this chapter.
