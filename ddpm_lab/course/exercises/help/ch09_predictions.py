"""Help for chapter 09: x0, eps, v and the score."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "predictions.eps_to_x0": Help(
        hints=(
            "x_t = a x_0 + b eps. In which order were the two things done to x_0, and in which "
            "order are they undone?",
            "First subtract the noise that is really in x_t, b eps; what is left is a x_0.",
            "a and b are one number for each item: coef(row(table, t), x_t), with the tables "
            "schedule.signal and schedule.noise.",
        ),
        why="(9.1) is linear in x_0, so it can be solved for it. The division is what makes eps a "
        "bad parameterization at large t: a is nearly 0 there.",
    ),
    "predictions.v_target": Help(
        hints=(
            "(x_t, v) is (x_0, eps) rotated by an angle. A quarter turn takes x_0 to eps; where "
            "does it take eps?",
            "forward.noised mixes its two inputs with a and b. Which input gets a in v, and which "
            "gets b?",
            "One of the two inputs needs a minus sign.",
        ),
        why="v is what x_t would be if eps played the data and -x_0 the noise: both are rotated "
        "by 90 degrees. So the function that makes x_t also makes v.",
    ),
    "predictions.v_to_x0": Help(
        hints=(
            "x_0 lies an angle phi before x_t, and v lies 90 degrees after x_t. What is the cosine "
            "of phi, what its sine?",
            "Turning back by phi is turning on by -phi: the cosine stays, the sine changes its "
            "sign.",
            "Check at small t: x_0 must be nearly x_t.",
        ),
        why="A rotation is undone by the rotation back, with the same two factors and one sign "
        "flipped. That is why nothing is divided, and why v works even where a is 0.",
    ),
    "predictions.amplify": Help(
        hints=(
            "Hold x_t fixed and change eps by 1 in (9.3). By how much does x_0 change?",
            "(9.3) is a straight line in eps; the factor is the size of its slope. schedule.signal "
            "and schedule.noise have both of its parts.",
        ),
        why="x_t cancels in the difference of two estimates; what is left is the factor of eps "
        "in (9.3). It is one over the root of the signal-to-noise ratio.",
    ),
    "predictions.score": Help(
        hints=(
            "Given x_0, x_t is normal. What is its mean, and what its variance?",
            "The gradient of the log density of N(m, v) at x is -(x - m) / v. Which m and v belong "
            "to x0_hat?",
            "Sign check: the score points from x_t to where the density is larger.",
        ),
        why="By (9.7) the score is an average over the possible x_0, of gradients that are linear "
        "in x_0. So the average of x_0 is all that is needed, and x0_hat is that average.",
    ),
    "predictions.same_loss": Help(
        hints=(
            "Hold x_t fixed and let x_0 be wrong by d. By (9.3), by how much is eps then wrong?",
            "By a/b d. Square it. For v = a eps - b x_0 both parts are wrong: add them with their "
            "signs, and use a^2 + b^2 = 1.",
            "x0: nothing is converted, so by which factor is it multiplied?",
        ),
        why="For a fixed x_t an error of x_0 fixes those of eps and v, by factors of the schedule "
        "only. So losses of different names differ by a weight that depends on t.",
    ),
}
