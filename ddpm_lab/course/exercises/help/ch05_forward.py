"""Help for chapter 05: the forward process."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "forward.step": Help(
        hints=(
            "One step shrinks x a little and adds a little noise. Which equation of this chapter "
            "says by how much?",
            "The step's noise has variance beta_t. By what must a z of variance 1 be multiplied so "
            "that its variance is beta_t?",
        ),
        why="A factor c multiplies a variance by c². So z needs sqrt(beta_t), and x needs "
        "sqrt(1 - beta_t), which leaves room for exactly that noise.",
    ),
}
