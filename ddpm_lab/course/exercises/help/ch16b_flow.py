"""Help for chapter 16b: the velocity, its other name, and Euler's method."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "flow.velocity": Help(
        hints=(
            "The velocity of a pair is eps - x_0. You know x_tau and an estimate of x_0: "
            "which estimate of eps fits both?",
            "Solve x_tau = (1 - tau) x0_hat + tau eps_hat for eps_hat, and subtract x0_hat. Much "
            "of it cancels.",
            "Test tau = 1, where x_tau is the noise itself: what must the velocity be there?",
        ),
        why="At constant speed the velocity is distance / time. In the time tau the point moved "
        "from x0_hat to x_tau, so the velocity is the difference of the two, divided by tau.",
    ),
    "flow.to_velocity": Help(
        hints=(
            "Write down u = eps - x_0, and what eps and x_0 are in terms of x_t and v "
            "(chapter 09).",
            "eps = noise x_t + signal v, and x_0 = signal x_t - noise v. Subtract, and collect "
            "what multiplies v and what multiplies x_t.",
            "Test a time at which signal = noise: there the part with x_t must vanish.",
        ),
        why="x_t and v are x_0 and eps, turned by an angle; turn them back, and take the "
        "difference. No division is needed, so it works at every t, without signal too.",
    ),
    "flow.euler": Help(
        hints=(
            "One step first: x has the velocity u at tau_t. How far does it move until tau_s, and "
            "in which direction?",
            "`zip(taus, taus[1:])` gives the pairs (tau_t, tau_s). The difference tau_s - tau_t is "
            "negative, because tau falls.",
            "Ask for the velocity once per step, where the step starts and when it starts; the "
            "next step starts where this one ends.",
        ),
        why="Euler's method keeps the velocity for a whole step. It is exact if the velocity does "
        "not change along the way, that is, if the path is straight and the speed constant.",
    ),
}
