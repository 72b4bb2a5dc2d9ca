"""Help for chapter 06: noise schedules and the signal-to-noise ratio."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "schedules.log_snr": Help(
        hints=(
            "Which variance does the signal have in x_t, which one the noise? Both are in the "
            "text above (6.2).",
            "The logarithm of a quotient is a difference of logarithms. An infinite end needs no "
            "care: torch.log(0) is -inf.",
        ),
        why="SNR is a quotient of two variances, and its logarithm a difference of two logs. "
        "log1p(-abar) is log(1 - abar) without the rounding of 1 - abar, which matters for "
        "small abar.",
    ),
    "schedules.beta_from_abar": Help(
        hints=(
            "abar_t is a product of t factors, and abar_{t-1} of the first t - 1 of them. How do "
            "you get the last factor alone?",
            "The last factor is alpha_t = 1 - beta_t. Without a loop: a table without its first "
            "row, and the same table without its last row, line up row by row.",
        ),
        why="Dividing neighboring rows undoes the product and leaves alpha_t, the fraction of "
        "the signal's variance that step t keeps; beta_t is the rest. There are T steps "
        "between T + 1 rows.",
    ),
    "schedules.steps_in_band": Help(
        hints=(
            "schedule.log_snr has T + 1 rows. Which of them are steps?",
            "Two comparisons make two masks of True and False; & joins them, if each is in "
            "parentheses. Which of the two includes its border?",
            "As numbers, a mask holds ones and zeros. What is the mean of such a table?",
        ),
        why="The mean of a mask is the fraction that is True. With one closed end, neighboring "
        "bands share no step and leave none out, so that the fractions add up to 1.",
    ),
    "schedules.rescaled": Help(
        hints=(
            "The betas of `linear` lie on a line. What is the sum of T equally spaced numbers "
            "with given ends?",
            "The sum is T times the mean of the two ends. If T is ten times smaller, how must "
            "the ends change?",
            "`schedules.linear` takes T, then the first beta and the last.",
        ),
        why="The sum is T (beta_1 + beta_T) / 2, so the same factor on both ends makes up for "
        "another T. abar_T is about exp(-sum), so this sum decides how much signal is left.",
    ),
    "schedules.zero_terminal": Help(
        hints=(
            "(6.9) is about sqrt(abar). Which rows does it change, and which numbers in it are "
            "fixed?",
            "Take the first and the last value out as plain numbers before you change anything: "
            "changed in place, the tensor would change them too.",
            "Shift, stretch, set the last row to 0, and square: a Schedule holds abar.",
        ),
        why="A line through two points: sqrt(abar_1) stays, sqrt(abar_T) becomes 0, and all "
        "between follow. Rounding may leave a trace in the last row, so it is set to 0.",
    ),
    "schedules.information": Help(
        hints=(
            "(6.10) gives nats. How many nats is one bit?",
            "One bit is log 2 = 0.693 nats; torch.log2 divides by it for you.",
            "Check: without signal, the answer is 0 bits; at SNR 3 the spread of x_t is two noise "
            "widths, which is one bit.",
        ),
        why="sqrt(1 + SNR) noise widths fit into the spread of x_t, and about that many values "
        "can be distinguished. The logarithm to base 2 counts yes-or-no questions; the root "
        "becomes the factor 1/2.",
    ),
    "schedules.seen_by_blocks": Help(
        hints=(
            "What does averaging do to k^2 equal numbers? And what to k^2 independent noises?",
            "The mean of n independent noises has a variance n times smaller. How many pixels does"
            " a block have?",
        ),
        why="The signal is the same in all pixels of a block, so its variance stays. The mean "
        "of k^2 independent noises has 1/k^2 of their variance, and SNR is the quotient of "
        "the two variances.",
    ),
    "schedules.s_shaped": Help(
        hints=(
            "Choose log-SNR directly. Which values belong to abar = 0.99, and which to 0.001? "
            "By (6.2): about 4.6 and about -6.9.",
            "Which function falls slowly, then fast, then slowly? Half a wave of a cosine does, "
            "or a tanh; let u run from 0 to 1 in T points.",
            "Stretch it so that it starts above 4.6 and ends below -6.9, and hand the T values to"
            " `schedules.from_log_snr`.",
        ),
        why="A cosine from 0 to pi is flat at both ends and steepest between, where it falls "
        "about twice as fast as in the outer thirds. Its amplitude, 8, is more than both "
        "ends need.",
    ),
}
