# Checks for a CUDA toolkit before loading a libtorch that was built for CUDA, which would otherwise
# stop CMake with messages about Caffe2. Torch_DIR is the folder of its TorchConfig.cmake.
get_filename_component(torch_prefix "${Torch_DIR}/../../.." ABSOLUTE)
if(NOT EXISTS "${torch_prefix}/lib/libtorch_cuda.so")
  return()
endif()
set(places HINTS ${CUDA_TOOLKIT_ROOT_DIR} ${CUDAToolkit_ROOT} ENV CUDA_PATH ENV CUDA_HOME
  PATHS /usr/local/cuda)
find_program(SWEEP_NVCC nvcc ${places} PATH_SUFFIXES bin)
find_path(SWEEP_CUDA_HEADERS cuda_runtime.h ${places}
  PATH_SUFFIXES include targets/x86_64-linux/include)
find_library(SWEEP_CUDART cudart ${places} PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib)
set(missing)
foreach(part SWEEP_NVCC:nvcc SWEEP_CUDA_HEADERS:cuda_runtime.h SWEEP_CUDART:libcudart)
  string(REPLACE ":" ";" part ${part})
  list(GET part 0 variable)
  list(GET part 1 name)
  if(NOT ${variable})
    list(APPEND missing ${name})
  endif()
endforeach()
if(missing)
  string(REPLACE ";" ", " missing "${missing}")
  message(FATAL_ERROR "libtorch in ${torch_prefix} was built for CUDA, and to build with it takes the "
    "CUDA toolkit, of which this was not found: ${missing}. Install the toolkit and name its folder "
    "with -DCUDA_TOOLKIT_ROOT_DIR=FOLDER, or build with the libtorch for processors that "
    "deploy/install-deps.sh unpacks (without -DTorch_DIR), or without the trainer: "
    "-DSWEEP_TRAINER=OFF")
endif()
