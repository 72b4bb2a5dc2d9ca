"""Help for chapter 01: from a prior to a posterior, and what two coins cost."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "bayes.rule": Help(
        hints=(
            "Do it on paper for the box of coins: prior 0.8 and 0.2, likelihood 0.5 and 0.9. "
            "Which two numbers do you compare, and what do they add up to?",
            "For each candidate, prior times likelihood is the probability that it is this one "
            "*and* the fact happens. The evidence (1.2) is the sum of these.",
            "A posterior adds to 1. What must the products be divided by, so that they do?",
        ),
        why="Prior times likelihood says how often each cause comes together with the fact. "
        "Divided by their sum, it says how often each cause is behind the fact once it has "
        "happened.",
    ),
    "bayes.posterior": Help(
        hints=(
            "Take the three steps one by one, and look at the largest value after each: what must "
            "it be after step 2?",
            "Step 1 adds two logarithms: prior.log() and bayes.coin_log_likelihood(…). Where the "
            "prior is 0, its log is -inf, and exp makes it 0 again: that is right.",
            "In step 2 subtract the largest entry of the sum of both, before exp. In step 3 "
            "divide by bayes.integral(values, grid), an area, not by a sum.",
        ),
        why="A posterior needs only ratios, so any common factor may be taken out before exp: the "
        "largest value becomes 1, and nothing that matters is rounded to 0. The area brings "
        "the factor back.",
    ),
    "bayes.conjugate": Help(
        hints=(
            "Multiply (1.7) by theta^h (1 - theta)^(n - h). What is the exponent of theta then, "
            "and that of 1 - theta?",
            "One of the two numbers counts heads, the other counts tails. How many tails are "
            "there in n tosses with h heads?",
        ),
        why="Exponents add when powers multiply, and the -1 of (1.7) is in them before and after. "
        "So the new tosses are added to those that the prior stands for.",
    ),
    "bayes.three_answers": Help(
        hints=(
            "Which of the three uses only the tosses, and which use the prior, too?",
            "Find the posterior Beta(A, B) first, by (1.8). MAP is where it is highest, and the "
            "mean is a balance point: two different formulas in the same A and B.",
            "The peak is where (A - 1)/theta equals (B - 1)/(1 - theta). The mean needs no - 1.",
        ),
        why="MLE looks at the likelihood alone; the other two look at the posterior Beta(A, B). "
        "Its peak depends on the exponents A - 1 and B - 1, its mean on A and B themselves.",
    ),
    "bayes.two_coins": Help(
        hints=(
            "Look at one toss first. In how many ways can it show heads, and what is the "
            "probability of each?",
            "One bracket of (1.12) belongs to each toss; for tails both coins have 1 - p. Make "
            "all n brackets at once with torch.where.",
            "The logarithm of a product is a sum of logarithms. Where does .log() go, so that "
            "nothing small is ever multiplied?",
        ),
        why="The choices are independent, so the sum over all 2^n lists factorizes: first mix the "
        "coins for each toss, then multiply. As logarithms, n factors become n terms, and "
        "nothing is rounded to 0.",
    ),
    "bayes.monte_carlo": Help(
        hints=(
            "You are given logarithms. The evidence is a mean of likelihoods: what comes first, "
            "the mean or exp?",
            "The standard deviation says how far single samples scatter. How much less does "
            "the mean of N samples scatter?",
            "The variance of a mean of N independent samples is 1/N of that of one. Take the root.",
        ),
        why="An integral against the prior is the mean of the likelihood over samples from it, and "
        "exp of a mean of logarithms would be smaller. The variance of a mean falls like 1/N, "
        "so its standard error falls like 1/sqrt(N).",
    ),
}
