"""Help for chapter 16: steps of an SDE, the ways back, likelihoods, the bound."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "continuous.step": Help(
        hints=(
            "Three parts are added: where x is, what the drift does in a time h, and the noise. "
            "Compare the right side of (16.1) with (16.2).",
            "The drift is f(t) times x, and acts for a time h. The noise has variance g(t)^2 h; "
            "what is its standard deviation?",
        ),
        why="A rate times a time is a change, so the drift's part is proportional to h. Noises of "
        "many short steps add up by their variances, so the noise's part is proportional to the "
        "root of h.",
    ),
    "continuous.reverse_drift": Help(
        hints=(
            "At kappa = 0 it must be (16.7), the ODE. What is added for kappa > 0?",
            "The score is subtracted, with the factor (1 + kappa^2)/2 times g squared. Time runs "
            "backward in dt; no sign of the drift changes for that.",
        ),
        why="Fresh noise spreads the points, and a stronger pull of the score makes up for it: "
        "each kappa^2 g^2 / 2 of diffusion is balanced by as much of the score.",
    ),
    "continuous.log_density": Help(
        hints=(
            "You need a running total. In each step it grows by the divergence times the step's "
            "length; then x moves.",
            "`zip(times, times[1:])` gives the pairs (t, s). Ask for both, the divergence and the "
            "velocity, at time t and at the x before the move.",
            "At the end there are two parts: log_prior where x has arrived, plus the total.",
        ),
        why="Where the field diverges a small volume grows and its density falls. So the density "
        "at the start is that at the end times the growth: in logarithms, plus the integral.",
    ),
    "continuous.hutchinson": Help(
        hints=(
            "Make x require a gradient, compute v(x), multiply by xi and add everything up. What "
            "is the gradient of this number with respect to x?",
            "The gradient is one vector for each item, xi' dv/dx. Multiply it by xi, entry by "
            "entry, and add up along axis 1.",
        ),
        why="Items do not depend on each other, so one gradient of the sum holds the gradient of "
        "each. With xi on both sides the diagonal of the Jacobian stays on average, and the rest "
        "averages to 0.",
    ),
    "continuous.bound_term": Help(
        hints=(
            "Substitute: the integral over log-SNR becomes one over t. What is d(log-SNR) in terms "
            "of dt, and where do the limits end up?",
            "Log-SNR falls while t rises, so the slope is negative, and the cost must come out "
            "positive. t is uniform in 0 … 1, so its density is 1. Do not forget the half.",
        ),
        why="A mean over uniform t of the integrand times |d(log-SNR)/dt| is the integral over "
        "log-SNR, whatever the path. The path changes the spread of the terms, not their mean.",
    ),
    "continuous.implicit": Help(
        hints=(
            "Two parts are added: half the square of the model's score, and its derivative with "
            "respect to x.",
            "Make x require a gradient; `torch.autograd.grad(model(x).sum(), x)` is a tuple with "
            "the derivative at each x.",
        ),
        why="The unknown score enters the squared error through one product, and integrating that "
        "by parts moves the derivative to the model, which we know.",
    ),
}
