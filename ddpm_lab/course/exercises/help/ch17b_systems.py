"""Help for chapter 17b: scaled codes, one step for two, one step back for letters."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "systems.decode": Help(
        hints=(
            "Diffusion has seen (code - mean) / std. In which units are the codes that it draws, "
            "and in which does the decoder expect them?",
            "Undo the two operations in the opposite order: the division came last, so it is "
            "undone first.",
            "mean and std have shape (K,), and z has (B, K): they fit as they are.",
        ),
        why="The decoder was trained before the diffusion, on codes in their own units. The "
        "scaling exists for the diffusion alone, whose schedule expects data of variance 1; so it "
        "is undone before the decoder sees the code.",
    ),
    "systems.target": Help(
        hints=(
            "Write down where one DDIM step from t to s lands: x_s = signal_s x_0 + noise_s eps, "
            "with eps = (x_t - signal_t x_0) / noise_t. What is unknown?",
            "x_0 occurs twice. Collect both on one side; what stands in front of it?",
            "`row(schedule.signal, t)` is a number or (B,), and `coef(…, x_t)` gives it the shape "
            "that multiplies x_t.",
        ),
        why="A DDIM step is linear in its estimate, so there is exactly one estimate with which a "
        "single step lands where the teacher's two steps do. The student is trained to say it.",
    ),
    "systems.unmask": Help(
        hints=(
            "There are two cases, and `torch.where` joins them: a letter that you can read, and a "
            "mask. What may a step back do to a letter that is already there?",
            "Of 100 letters, 100 (1 - abar_t) are masked at t. How many of these are uncovered by "
            "time s? That share of the masks opens, and p says which letter appears.",
            "What does not open stays a mask: add its probability at the last place, `[..., mask]`."
            " Do the rows sum to 1?",
        ),
        why="By Bayes' rule a masked letter was already masked at s with probability "
        "(1 - abar_s) / (1 - abar_t); otherwise it was the original letter, and p says which. A "
        "letter that is not a mask is the original, since only the mask is ever put in.",
    ),
}
