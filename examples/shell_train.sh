#!/bin/sh
# A trainer for `program:` in plain sh and awk: logistic regression by gradient descent, on points of
# the plane that lie inside or outside a circle. It trains once: reads one trial, prints one line per
# epoch and ends. What it prints besides is kept as its log (sweep logs).
#
# The features are all products x^i * y^j up to `degree`, so that degree 1 cannot solve it.
set -eu

read -r trial

# The value of a number, and of a text, in the JSON line.
number() { printf '%s\n' "$trial" | sed -n "s/.*\"$1\":\([-+.0-9eE]*\).*/\1/p"; }
text() { printf '%s\n' "$trial" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

echo "degree $(number degree), lr $(number lr), l2 $(number l2)"

exec awk -v name="$(text trial)" -v seed="$(number seed)" -v epochs="$(number epochs)" \
  -v lr="$(number lr)" -v l2="$(number l2)" -v degree="$(number degree)" '
function features(x, y,   i, j, n) {
  n = 0
  for (i = 0; i <= degree; i++) for (j = 0; i + j <= degree; j++) f[n++] = x ^ i * y ^ j
  return n
}
# Images do not matter here, points do: the first `train` are for training.
function draw(count,   k, n, x, y) {
  for (k = 0; k < count; k++) {
    x = 2 * rand() - 1; y = 2 * rand() - 1
    label[k] = (x * x + y * y < 0.6) != (rand() < 0.02)
    n = features(x, y)
    for (i = 0; i < n; i++) point[k, i] = f[i]
  }
  return n
}
function predict(k,   i, z) {
  z = 0
  for (i = 0; i < n; i++) z += w[i] * point[k, i]
  return 1 / (1 + exp(z < -30 ? 30 : z > 30 ? -30 : -z))
}
function loss(k,   p) { p = predict(k); return -log(label[k] ? p : 1 - p) }
function right(k) { return (predict(k) > 0.5) == label[k] }

BEGIN {
  train = 600; test = 400
  srand(substr(seed, length(seed) - 5))
  n = draw(train + test)
  for (epoch = 1; epoch <= epochs; epoch++) {
    train_loss = 0; hits = 0; test_loss = 0; test_hits = 0
    for (k = 0; k < train; k++) {
      train_loss += loss(k); hits += right(k)
      slope = predict(k) - label[k]
      for (i = 0; i < n; i++) w[i] -= lr * (slope * point[k, i] + l2 * w[i])
    }
    for (k = train; k < train + test; k++) { test_loss += loss(k); test_hits += right(k) }
    printf "{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"train_loss\":%.6f," \
      "\"train_accuracy\":%.6f,\"validation_loss\":%.6f,\"validation_accuracy\":%.6f,\"lr\":%g}\n",
      name, epoch, train_loss / train, hits / train, test_loss / test, test_hits / test, lr
    fflush()
  }
  printf "{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":%d}\n", name, epochs
}'
