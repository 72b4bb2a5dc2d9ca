"""The standard terms of the course, each with its Chinese name and its names in code.

Where a term is introduced is not written here: it is where a chapter first prints it in **bold**.
`tools/notebooks/reference.py` finds the place when it builds the page of the glossary.

>>> term = TERMS["tweedie's formula"]
>>> term.chinese, term.code
('Tweedie 公式', ('predictions.convert',))
"""

from typing import NamedTuple


class Term(NamedTuple):
    """One entry of the glossary.

    >>> TERMS["evidence lower bound"].also
    ('ELBO', 'variational lower bound')
    """

    name: str
    """as a chapter introduces it, in the singular"""
    also: tuple[str, ...]
    """other names of the same thing; a chapter may introduce it by one of these"""
    chinese: str
    """the standard Chinese term"""
    meaning: str
    """one sentence"""
    code: tuple[str, ...]
    """dotted names in `ddpm_lab`, without the package's own"""
    diffusers: str
    """name in diffusers, with an argument in parentheses where that is what carries it; or \"\" """
    theme: str
    """the part of the glossary in which it stands"""


# name = other names | Chinese | names in ddpm_lab | name in diffusers
#     meaning
_TEXT = """
# Probability

Bayes' rule | 贝叶斯公式 | bayes.rule |
    The posterior is the prior times the likelihood, divided by the evidence.
prior = prior distribution | 先验分布 | bayes.uniform |
    The distribution of an unknown before the data are seen.
likelihood | 似然 | bayes.coin_log_likelihood |
    The probability of the data as a function of the unknown; it need not integrate to 1.
evidence = marginal likelihood | 证据（边缘似然） | bayes.coin_evidence, elbo.log_evidence |
    The probability of the data, averaged over all values of the unknown.
posterior = posterior distribution | 后验分布 | bayes.coin_posterior, forward.posterior |
    The distribution of an unknown once the data are seen.
conjugate prior = conjugate | 共轭先验 | bayes.conjugate |
    A prior whose posterior belongs to the same family, so that only its parameters change.
Beta distribution | 贝塔分布 | bayes.Beta |
    A family of distributions on 0 … 1, conjugate to the tosses of a coin.
maximum likelihood = MLE, maximum likelihood estimate | 最大似然估计 | |
    The value of the unknown under which the data are most probable.
maximum a posteriori = MAP, maximum a posteriori estimate | 最大后验估计 | |
    The value at which the posterior is largest.
identifiable = not identifiable, identifiability | 可识别性 | bayes.two_coin_log_likelihood |
    Said of a parameter that enough data would determine; two values with the same likelihood cannot be told apart.
curse of dimensionality = curse of dimension | 维数灾难 | |
    The number of points of a grid grows exponentially with the number of its axes.
probability density = density | 概率密度 | gaussians.log_prob |
    Probability per unit of length, area or volume; it may exceed 1.
random variable | 随机变量 | |
    A quantity whose value is the outcome of a random experiment.
joint distribution = joint, joint law | 联合分布 | |
    The distribution of several random variables together.
marginal distribution = marginal, marginals | 边缘分布 | forward.marginal |
    The distribution of one of several variables, the others summed or integrated out.
conditional distribution = conditional | 条件分布 | gaussians.condition |
    The distribution of one variable when the value of another is known.
expectation = expected value | 期望 | |
    The mean of a function of a random variable, weighted by probability.
variance | 方差 | |
    The mean squared deviation from the mean; its square root is the standard deviation.
standard deviation | 标准差 | schedules.Schedule.noise |
    The square root of the variance, in the units of the variable itself.
covariance | 协方差 | |
    The mean product of the deviations of two variables from their means.
correlation | 相关系数 | |
    Covariance divided by both standard deviations, hence between -1 and 1.
independent = independence | 独立 | |
    Said of variables whose joint density is the product of their marginal densities.
law of total probability = total probability | 全概率公式 | |
    A marginal is the conditional averaged over what was conditioned on.
chain rule of probability = chain rule | 概率的链式法则 | |
    A joint density is a product of conditionals, each given all variables before it.
Markov property = Markov chain | 马尔可夫性 | forward.chain |
    Given the present, the future does not depend on the past.
normal distribution = Gaussian distribution, normal, Gaussian | 正态分布（高斯分布） | gaussians.Gaussian | models.autoencoders.vae.DiagonalGaussianDistribution
    The bell-shaped distribution that is fixed by its mean and variance.
completing the square = complete the square | 配方 | gaussians.condition, gaussians.product |
    Writing a quadratic as one square plus a constant, which reads off mean and variance of a Gaussian.
precision | 精度（方差的倒数） | gaussians.product |
    One over the variance; precisions add when Gaussian densities are multiplied.
mixture of Gaussians = Gaussian mixture, mixture | 高斯混合分布 | ideal_denoisers.Mixture |
    A distribution that first picks one of several Gaussians and then draws from it.
Kullback–Leibler divergence = KL divergence, relative entropy | KL 散度（相对熵） | gaussians.kl |
    The mean log-ratio of two densities under the first; not symmetric, and 0 only if they agree.
entropy | 熵 | |
    The mean of minus the log-probability: how uncertain an outcome is.
cross-entropy | 交叉熵 | |
    The mean of minus the log-probability that a model gives to data from another distribution.
mutual information | 互信息 | |
    How much one variable tells about another: the KL divergence of the joint from the product of marginals.

# Estimation

Monte Carlo estimate = Monte Carlo, Monte Carlo method | 蒙特卡洛估计 | estimators.monte_carlo |
    An expectation replaced by the mean over random samples.
standard error | 标准误 | estimators.Estimate.stderr |
    The standard deviation of an estimate; that of a mean of N samples falls like one over the root of N.
unbiased estimator = unbiased | 无偏估计量 | |
    An estimator whose expectation is the true value.
bias of an estimator = bias, biased | 偏差 | |
    The expectation of the estimate minus the true value; averaging more repetitions does not remove it.
consistent estimator = consistent | 相合估计量 | |
    An estimator that converges to the true value as the sample grows.
importance sampling | 重要性采样 | estimators.importance_sampling |
    Samples from one distribution, weighted by the density ratio, estimate an expectation under another.
proposal distribution = proposal | 提议分布 | estimators.importance_sampling |
    The distribution from which importance sampling really draws.
effective sample size | 有效样本量 | estimators.effective_sample_size |
    The number of equally weighted samples that would give the same accuracy.
reparameterization trick = reparameterization | 重参数化技巧 | gaussians.draw |
    A sample written as mean plus standard deviation times noise, so that gradients pass through it.
pathwise gradient = reparameterization gradient | 路径梯度 | estimators.pathwise_gradient |
    The gradient of an expectation taken through the reparameterized samples.
score-function gradient = REINFORCE | 得分函数梯度 | estimators.score_function_gradient |
    The gradient of an expectation as the mean of the value times the gradient of the log-density.
baseline | 基线 | estimators.score_function_gradient |
    A constant subtracted in the score-function gradient: it lowers the variance and keeps the mean.
Jensen's inequality | 琴生不等式 | estimators.log_mean_weight |
    The logarithm of a mean is at least the mean of the logarithms.
Markov chain Monte Carlo = MCMC | 马尔可夫链蒙特卡洛 | |
    Sampling with a Markov chain whose stationary distribution is the wanted one.
Rao–Blackwellization | 拉奥–布莱克韦尔化 | losses.bound |
    Replacing a part of an estimate by its conditional expectation, which never raises the variance.
quadrature = numerical integration | 数值积分 | bayes.integral |
    An integral computed as a weighted sum over a grid.
jackknife | 刀切法 | metrics.jackknife |
    An error bar from recomputing a statistic with one group of the data left out at a time.

# Latent variables and the bound

generative model | 生成模型 | |
    A model from which new samples can be drawn that look like the training data.
latent variable = latent | 隐变量（潜变量） | elbo.encode | AutoencoderKL(latent_channels=)
    A variable of the model that is never observed.
encoder | 编码器 | elbo.encode | AutoencoderKL.encode
    The approximate posterior of the latent variable given the data.
decoder | 解码器 | elbo.decode | AutoencoderKL.decode
    The distribution of the data given the latent variable.
variational inference | 变分推断 | elbo.loss |
    Approximating a posterior by the nearest member of a family, found by optimization.
evidence lower bound = ELBO, variational lower bound | 证据下界 | elbo.Elbo, losses.bound |
    A lower bound on the log-evidence; the gap is the KL divergence from the approximate to the true posterior.
negative log-likelihood = NLL | 负对数似然 | losses.bound |
    Minus the log-probability that a model gives to data; smaller is better.
bits per dimension = bits/dim | 每维比特数 | losses.bits_per_dim |
    The negative log-likelihood in base 2, divided by the number of pixel values.
amortized inference | 摊销推断 | networks.VAE |
    One network gives the approximate posterior for every data point, instead of an optimization for each.
variational autoencoder = VAE, variational auto-encoder, auto-encoder | 变分自编码器 | networks.VAE | AutoencoderKL
    A latent-variable model whose encoder and decoder are networks, trained together on the ELBO.
hierarchical VAE = HVAE, hierarchical variational autoencoder | 层级变分自编码器 | losses.bound |
    A VAE whose latent variables form a chain; a diffusion model is one with a fixed encoder.
mean-field approximation = mean-field | 平均场近似 | |
    An approximate posterior in which the latent variables are independent.
posterior collapse | 后验坍缩 | elbo.ppca |
    Latent variables that the decoder ignores: their approximate posterior equals the prior.
beta-VAE = β-VAE | β-VAE | elbo.loss |
    A VAE whose KL term is multiplied by a factor beta.
expectation–maximization algorithm = EM algorithm, EM | EM 算法（期望最大化） | |
    Alternately set q to the posterior and maximize the ELBO over the parameters.
probabilistic PCA = principal component analysis, PPCA | 概率主成分分析 | elbo.ppca |
    A linear VAE whose best parameters are known in closed form.

# The diffusion process

diffusion model | 扩散模型 | | DDPMPipeline
    A generative model that learns to undo the gradual addition of noise.
forward process = diffusion process, noising process | 前向过程（扩散过程） | forward.chain | DDPMScheduler.add_noise
    The fixed Markov chain that turns data into noise in T steps.
reverse process = denoising process | 逆向过程 | samplers.reverse | DDPMScheduler.step
    The learned Markov chain from noise to data.
noise schedule = variance schedule, schedule | 噪声调度 | schedules.Schedule | DDPMScheduler(beta_schedule=)
    The table of how much signal is left, and how much noise has been added, at each time.
linear schedule | 线性噪声调度 | schedules.linear | DDPMScheduler(beta_schedule="linear")
    The schedule of Ho et al.: the variance of one step grows linearly with t.
cosine schedule | 余弦噪声调度 | schedules.cosine | DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    The schedule of Nichol and Dhariwal: abar falls like a squared cosine.
variance preserving | 方差保持 | forward.marginal |
    Said of a chain that scales the signal down as it adds noise, so that data of variance 1 keep it.
variance exploding | 方差爆炸 | course.notation.edm_input | EDMEulerScheduler
    Said of a chain that adds noise without scaling the signal down.
signal-to-noise ratio = SNR | 信噪比 | schedules.Schedule.snr | training_utils.compute_snr
    Signal variance over noise variance, abar / (1 - abar).
log-SNR | 对数信噪比 | schedules.Schedule.log_snr |
    The logarithm of the signal-to-noise ratio: an axis on which all schedules can be compared.
zero terminal SNR | 终端零信噪比 | schedules.zero_terminal | DDPMScheduler(rescale_betas_zero_snr=True)
    A schedule that leaves no signal at all at t = T.
timestep spacing = timesteps | 时间步间隔 | schedules.timesteps | DDPMScheduler(timestep_spacing="trailing")
    Which of the T times a sampler visits.
ancestral sampling | 祖先采样 | samplers.ddpm | DDPMScheduler.step
    Drawing each variable given the ones drawn before it; for a diffusion model, from x_T down to x_0.

# Predictions and losses

denoiser | 去噪器 | predictions.denoiser |
    A function from noisy data and a time to an estimate of the clean data.
optimal denoiser = Bayes denoiser, ideal denoiser | 最优去噪器 | ideal_denoisers.mixture_denoiser |
    The posterior mean of the clean data, which no denoiser beats in mean squared error.
parameterization = prediction type | 参数化方式（预测类型） | predictions.convert | DDPMScheduler(prediction_type=)
    Which quantity the network outputs: x0, eps or v.
noise prediction = eps-prediction, epsilon prediction | 噪声预测（ε 预测） | predictions.target | DDPMScheduler(prediction_type="epsilon")
    The network outputs the noise that was mixed in.
v-prediction = velocity, velocity prediction | v 预测（速度预测） | predictions.target | DDPMScheduler.get_velocity
    The network outputs v = signal eps - noise x0, which is well scaled at every time.
score function | 得分函数 | ideal_denoisers.log_density |
    The gradient of the log-density with respect to the data.
score matching = denoising score matching | 得分匹配 | losses.simple |
    Learning the score of noisy data, here by predicting the noise.
Tweedie's formula | Tweedie 公式 | predictions.convert |
    The posterior mean of the clean data in terms of the score of the noisy data.
simple loss = simplified objective, L_simple | 简化损失 | losses.simple |
    The mean squared error of the predicted noise with the same weight for every time.
Min-SNR weighting = Min-SNR | Min-SNR 加权 | losses.weight |
    A loss weight that caps the signal-to-noise ratio, so that easy times do not dominate.
stratified sampling | 分层采样 | losses.strata |
    One random time from each of several ranges, so that no range is missed by chance.
irreducible loss = irreducible, irreducible error, floor | 不可约损失 | ideal_denoisers.dataset_denoiser |
    The mean squared error of the optimal denoiser, below which no network can go.

# Sampling and guidance

sampler | 采样器 | samplers.sample | DDPMScheduler
    An algorithm that turns noise into data with the help of a denoiser.
denoiser call = number of function evaluations, NFE, denoiser calls | 函数求值次数（NFE） | samplers.Step |
    One evaluation of the network, the unit in which the cost of sampling is counted.
DDIM | 去噪扩散隐式模型（DDIM） | samplers.ddim | DDIMScheduler.step(eta=)
    A family of samplers with the same marginals as DDPM and less fresh noise, none at eta = 0.
probability-flow ODE = probability flow | 概率流常微分方程 | samplers.probability_flow_ode |
    The deterministic path from noise to data whose marginals are those of the noising process.
Heun's method = second-order method, Heun | Heun 方法（二阶） | samplers.probability_flow_ode | HeunDiscreteScheduler
    A step that evaluates the slope again at its end and uses the mean of both: second order, two calls.
DPM-Solver++(2M) = multistep method, multistep solver | DPM-Solver++（二阶多步法） | samplers.dpmpp_2m | DPMSolverMultistepScheduler(solver_order=2)
    A step that reuses the denoiser's earlier outputs: second order at one call per step.
DDIM inversion = inversion, encoding | DDIM 反演 | samplers.probability_flow_ode | DDIMInverseScheduler
    Running the deterministic sampler from data to noise, to find the noise that gives an image.
flow matching = conditional flow matching | 流匹配 | flow_matching.loss | FlowMatchEulerDiscreteScheduler
    Training a network on the velocities of single pairs of data and noise; its optimum is the mean velocity.
marginal velocity = velocity field | 边缘速度（速度场） | flow_matching.velocity |
    The mean velocity of all pairs whose paths pass through a place at a time; following it keeps every marginal.
Euler's method = Euler | 欧拉方法 | flow_matching.solve | FlowMatchEulerDiscreteScheduler
    Solving an ODE by keeping the velocity for a whole step; on the straight path this is DDIM.
reflow = rectified flow | 再流（整流流） | flow_matching.straightness |
    Training a flow anew on the pairs of noise and sample that it made, which straightens its paths.
coupling | 耦合 | flow_matching.optimal_pairs |
    A joint distribution of two variables that leaves the distribution of each as it is.
optimal transport = minibatch optimal transport | 最优传输 | flow_matching.optimal_pairs |
    The coupling of two distributions that has the least mean cost, usually the squared distance.
logit-normal distribution | 对数几率正态分布 | |
    The distribution of 1 / (1 + exp(-z)) for a Gaussian z; of training times it is a Gaussian over log-SNR.
spherical interpolation = slerp, great circle | 球面插值 | |
    Interpolation of two noises along a great circle, which keeps their length.
SDEdit = image to image | SDEdit（加噪后再去噪的编辑） | forward.noised |
    Editing an image by adding noise up to some time and sampling from there, with another condition.
classifier guidance | 分类器引导 | |
    Adding the gradient of a classifier's log-probability to the score.
classifier-free guidance | 无分类器引导 | predictions.guided | DiTPipeline.__call__(guidance_scale=)
    Extrapolating from the unconditional to the conditional prediction of one network.
guidance scale = guidance_scale, guidance weight | 引导强度 | training.models.denoiser | DiTPipeline.__call__(guidance_scale=)
    The weight of the difference between the conditional and the unconditional prediction.
label dropout = p_uncond | 标签丢弃 | training.train |
    Replacing the label by the null label with some probability during training.
null label | 空标签 | networks.UNet |
    The label that stands for "no label given".
latent diffusion | 潜在扩散 | course.text_to_image.System |
    Diffusion on the codes of an autoencoder that was trained beforehand, instead of on the pixels.
text-to-image | 文本到图像生成 | course.text_to_image.sample |
    Generating an image from a caption: a text encoder, a denoiser conditioned on it, a decoder.
text encoder | 文本编码器 | course.text_to_image.TextEncoder |
    A network that turns a text into one vector for each of its tokens.
tokenizer | 分词器 | course.text_to_image.tokens |
    The program that cuts a text into tokens and gives each its number.
token | 词元 | course.text_to_image.VOCABULARY |
    A piece of a text with a number of its own: a word, or a part of one.
cross-attention | 交叉注意力 | course.text_to_image.CodeDenoiser |
    Attention whose queries come from the image, and whose keys and values come from the text.
distillation | 蒸馏 | course.distillation |
    Training a student network to do in a few steps what a teacher does in many.
progressive distillation | 渐进式蒸馏 | course.distillation.halve |
    Distillation by halves: the student does two of the teacher's steps in one, then becomes the teacher.
consistency model | 一致性模型 | course.distillation.consistency |
    A network that gives the same end from every point of a path of the ODE.
discrete diffusion | 离散扩散 | discrete.marginal |
    Diffusion of symbols: each is kept with probability abar_t, or else replaced.
uniform diffusion | 均匀扩散 | discrete.uniform |
    Discrete diffusion in which a symbol is replaced by any symbol.
absorbing diffusion = masked diffusion | 吸收态扩散（掩码扩散） | discrete.absorbing |
    Discrete diffusion in which a symbol is replaced by the mask, for good.

# Continuous time

stochastic differential equation = SDE | 随机微分方程 | sde.SDE |
    An equation for a random path: in a short time dt it moves by a drift times dt plus noise of variance proportional to dt.
Wiener process = Brownian motion | 维纳过程 | |
    The continuous random path whose increments are independent and normal, with variance equal to the time they take.
diffusion coefficient | 扩散系数 | sde.SDE.diffusion |
    The factor g of the noise in an SDE: a standard deviation per square root of time.
Euler–Maruyama method = Euler–Maruyama | 欧拉–丸山方法 | sde.simulate |
    Simulating an SDE by short steps, each with drift times h and noise times the root of h.
Fokker–Planck equation | 福克–普朗克方程 | sde.fokker_planck |
    The equation for how the density of an SDE's paths changes: the flux is drift times density minus half g squared times the density's slope.
flux | 通量 | |
    The probability that flows through a point per unit of time.
reverse-time SDE | 逆向时间随机微分方程 | sde.reverse_drift |
    The SDE that runs from noise back to data with the same marginals as the forward process.
divergence of a field = divergence | 散度 | sde.divergence |
    The trace of the Jacobian of a field: how fast a small volume that moves along the field grows.
instantaneous change of variables | 瞬时变量替换 | sde.log_likelihood |
    Along an ODE the log-density of a moving point falls at the rate of the field's divergence.
continuous normalizing flow | 连续归一化流 | sde.log_likelihood |
    A model whose density is that of noise transported by an ODE.
Hutchinson's estimator | 哈钦森迹估计 | sde.hutchinson |
    An unbiased estimate of a trace from one product with a random vector.
variational diffusion model = VDM | 变分扩散模型 | |
    A diffusion model trained by its bound in continuous time, in which only the ends of the schedule matter.
explicit score matching | 显式得分匹配 | sde.explicit_score_matching |
    The mean squared distance of a model's score from the true one.
implicit score matching | 隐式得分匹配 | sde.implicit_score_matching |
    Explicit score matching after integration by parts: half the square of the score plus its divergence.
sliced score matching | 切片得分匹配 | sde.sliced_score_matching |
    Implicit score matching with the divergence estimated along a random direction.

# Networks

convolution | 卷积 | networks.blocks.ResBlock |
    Every output pixel is the same weighted sum of the pixels around it.
receptive field | 感受野 | networks.UNet |
    The part of the input that an output pixel can depend on.
U-Net | U-Net | networks.UNet | UNet2DModel
    A convolutional network that goes down to coarse grids and up again, with skip connections between.
downsampling | 下采样 | networks.UNet | models.downsampling.Downsample2D
    Going to a coarser grid.
upsampling | 上采样 | networks.UNet | models.upsampling.Upsample2D
    Going back to a finer grid.
skip connection | 跳跃连接 | networks.UNet | models.unets.unet_2d_blocks.UpBlock2D
    Features from the way down, handed to the layers of the same resolution on the way up.
residual block = residual connection, resblock | 残差块 | networks.blocks.ResBlock | models.resnet.ResnetBlock2D
    A block whose output is added to its input, so that it learns only the change.
sinusoidal position embedding = sinusoidal embedding, time embedding, sinusoidal time embedding | 正弦位置编码 | networks.time_embedding | models.embeddings.get_timestep_embedding
    Sines and cosines of the time at many frequencies, which tell the network how noisy its input is.
group normalization = group norm | 组归一化 | networks.blocks.normalization | UNet2DModel(norm_num_groups=)
    Mean 0 and variance 1 over each group of channels of one image.
batch normalization = batch norm | 批归一化 | networks.blocks.normalization |
    Mean 0 and variance 1 for each channel over all images of a batch, and hence over all their noise levels.
self-attention | 自注意力 | networks.blocks.SelfAttention | models.attention_processor.Attention
    Each position takes a weighted mean over all positions, with weights computed from the features.
query | 查询（Q） | networks.blocks.SelfAttention | models.attention_processor.Attention
    The vector with which a position asks; its product with a key gives the weight.
key | 键（K） | networks.blocks.SelfAttention | models.attention_processor.Attention
    The vector by which a position is found.
value | 值（V） | networks.blocks.SelfAttention | models.attention_processor.Attention
    The vector that a position hands to those that attend to it.
zero initialization = zero-initialization, zero-initialized | 零初始化 | networks.blocks.zero_init | models.controlnets.controlnet.zero_module
    The last layer of a residual block starts at zero, so that the block starts as the identity.
pixel-unshuffle = pixel unshuffle, space-to-depth | 像素逆重排 | networks.UNet |
    Blocks of pixels moved into channels: a coarser grid without loss of information.

# Training

data augmentation = augmentation | 数据增强 | datasets.augment_shifts |
    Training on changed copies of the images too, such as images shifted by a pixel.
overfitting | 过拟合 | metrics.memorization_test |
    Getting better on the training data while getting worse on new data.
memorization | 记忆化（复制训练样本） | metrics.memorization_test |
    Samples that are copies of training images.
early stopping | 早停 | |
    Ending training when the loss on held-out data stops falling.
held-out data = held-out set, validation set, held-out | 留出数据（验证集） | training.data.load_data |
    Data that are not used for training, only for measuring.
ablation = ablation study | 消融实验 | course.ablation |
    Removing one part at a time to see what it contributes.
checkpoint | 检查点 | training.save | UNet2DModel.save_pretrained
    A file with the weights of a network and what is needed to use or continue them.
pretrained model = pretrained, pretrained network | 预训练模型 | training.pretrained.load | UNet2DModel.from_pretrained
    A network whose trained weights come with the package.
model card = card | 模型卡 | training.pretrained.model_card |
    A page on what a network was trained on, what was measured, and what it is not for.
exponential moving average = EMA | 指数滑动平均 | training.EMA | training_utils.EMAModel
    A running mean of the weights; sampling with it is usually better than with the last weights.
learning rate | 学习率 | training.OptimizerConfig.lr | optimization.get_cosine_schedule_with_warmup
    How far one step of the optimizer moves the weights.
warm-up = warmup, learning-rate warm-up | 学习率预热 | training.OptimizerConfig.warmup | optimization.get_cosine_schedule_with_warmup
    A learning rate that rises from zero during the first steps.
gradient clipping | 梯度裁剪 | training.OptimizerConfig.clip |
    Shortening a gradient that is longer than a limit.
Adam | Adam 优化器 | training.adam |
    Gradient descent with momentum that divides each weight's step by the running size of its gradient.
mixed precision | 混合精度 | training.autocast |
    Computing in 16 bits where that is safe and in 32 bits elsewhere.
loss scale = loss scaling | 损失缩放 | |
    A factor on the loss that keeps small float16 gradients from becoming 0; the gradients are divided by it.
machine epsilon | 机器精度 | |
    The gap between 1 and the next number of a format; rounding errs by at most half of it, relatively.
epoch | 轮次 | datasets.batches |
    One pass through the training data.
throughput | 吞吐量 | |
    The number of images that a run processes per second.
bfloat16 = bf16 | bfloat16（脑浮点） | training.autocast |
    A 16-bit number with the range of float32 and 8 bits of precision.
data parallelism | 数据并行 | training.train |
    Each process computes the gradient on its part of the batch, and the gradients are averaged.

# Relatives

generative adversarial network = GAN | 生成对抗网络 | course.eight_gaussians.train_gan |
    A generator makes samples from a random vector; a discriminator learns to tell them from data.
mode collapse | 模式坍塌 | course.eight_gaussians.judged |
    A generator covers only a part of the data's modes.
denoising autoencoder = DAE | 去噪自编码器 | |
    A network that learns to undo noise of one level, and in doing so learns the score at that level.
energy-based model = EBM | 基于能量的模型 | |
    A model that learns the logarithm of a density up to a constant, with the opposite sign.
Langevin dynamics | 朗之万动力学 | |
    Sampling by small steps along the score, each followed by fresh noise.
Cold Diffusion | 冷扩散 | |
    Diffusion with a deterministic degradation, such as blur, in place of noise.
disentangled = disentanglement | 解耦 | |
    Said of a code each of whose coordinates stands for one property of the data.

# Measuring

Fréchet distance = FID, Fréchet inception distance | 弗雷歇距离（FID） | metrics.frechet |
    The distance of two Gaussians fitted to features of two sets of images; FID if the features are those of the Inception network.
energy distance | 能量距离 | metrics.energy_distance |
    Twice the mean distance between two sets minus the mean distances within each; its true value is 0 only if the distributions agree.
Wasserstein distance = earth mover's distance | Wasserstein 距离 | metrics.sliced_wasserstein |
    The least mean cost of moving one distribution onto another.
sliced Wasserstein distance = sliced | 切片 Wasserstein 距离 | metrics.sliced_wasserstein |
    The Wasserstein distance averaged over projections onto random lines.
maximum mean discrepancy = MMD | 最大均值差异 | metrics.mmd |
    The largest difference of two means over the unit ball of a kernel's function space.
real-versus-real baseline | 真实对真实基线 | metrics.real_baseline |
    The same metric between two disjoint halves of real data: what perfect samples would get.
nearest neighbor = nearest neighbors | 最近邻 | metrics.nearest |
    The training image closest to a sample, to see whether it is a copy.
"""  # noqa: E501


def _read(text: str) -> dict[str, Term]:
    """The terms by name in lower case."""
    terms, theme, lines = {}, "", [line for line in text.splitlines() if line]
    for line, after in zip(lines, [*lines[1:], ""]):
        if line.startswith("# "):
            theme = line[2:]
        elif not line.startswith(" "):
            names, chinese, code, diffusers = (part.strip() for part in f"{line} ".split("|"))
            name, _, also = names.partition(" = ")
            entry = Term(
                name, _listed(also), chinese, after.strip(), _listed(code), diffusers, theme
            )
            terms[name.lower()] = entry
    return terms


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


TERMS = _read(_TEXT)
"""{term in lower case: its entry}, in the order of the page."""

THEMES = tuple(dict.fromkeys(term.theme for term in TERMS.values()))
"""The parts of the glossary, in order."""
