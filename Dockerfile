# docker build -t diswot .                                     for CPUs
# docker build -t diswot --build-arg TORCH=cu130 .             for NVIDIA GPUs, with that version of CUDA
# docker run --rm -v "$PWD":/work diswot run --data photos/    [--gpus all before diswot]
FROM python:3.11-slim

ARG TORCH=cpu
ARG EXTRAS=onnx,plots,hf,text

COPY . /src
RUN pip install --no-cache-dir --extra-index-url "https://download.pytorch.org/whl/${TORCH}" \
    --constraint /src/constraints.txt "/src[${EXTRAS}]"

ENV DISWOT_DATA=/work/.diswot
WORKDIR /work
ENTRYPOINT ["diswot"]
CMD ["--help"]
