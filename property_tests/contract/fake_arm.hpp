// The arm of fake servers in virtual time. Its presence switches the suite's fake half on.
#pragma once

#include "property_tests/contract/arm.hpp"
