// Prints a prediction to the bit.
#pragma once

#include "predict_model.h"

namespace firmware {

void print(const Prediction& prediction, const edgejoule::Estimate& hook);

}  // namespace firmware
