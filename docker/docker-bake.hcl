# Written by `ftbuild image render`; do not edit.
#
#   docker buildx bake -f docker/docker-bake.hcl                    # everything
#   docker buildx bake -f docker/docker-bake.hcl 3-14-both-trixie   # one image
#   docker buildx bake -f docker/docker-bake.hcl --print            # what that would be

variable "REPOSITORY" {
  default = "ftbuild"
}

group "default" {
  targets = ["3-13", "3-14", "3-15"]
}

target "3-13" {
  name = "3-13-${builds.name}-${file.name}"
  matrix = {
    builds = [
      { name = "both", python = "3.13.18", tag = "-both" },
      { name = "gil", python = "3.13.18+gil", tag = "" },
      { name = "t", python = "3.13.18t", tag = "t" },
    ]
    file = [
      { name = "trixie", dockerfile = "docker/3.13/trixie.Dockerfile", suffixes = ["", "-trixie"] },
      { name = "trixie-dev", dockerfile = "docker/3.13/trixie-dev.Dockerfile", suffixes = ["-dev", "-dev-trixie"] },
      { name = "trixie-tsan", dockerfile = "docker/3.13/trixie-tsan.Dockerfile", suffixes = ["-tsan", "-tsan-trixie"] },
      { name = "bookworm", dockerfile = "docker/3.13/bookworm.Dockerfile", suffixes = ["-bookworm"] },
      { name = "bookworm-dev", dockerfile = "docker/3.13/bookworm-dev.Dockerfile", suffixes = ["-dev-bookworm"] },
      { name = "bookworm-tsan", dockerfile = "docker/3.13/bookworm-tsan.Dockerfile", suffixes = ["-tsan-bookworm"] },
      { name = "alpine", dockerfile = "docker/3.13/alpine.Dockerfile", suffixes = ["-alpine"] },
      { name = "alpine-dev", dockerfile = "docker/3.13/alpine-dev.Dockerfile", suffixes = ["-dev-alpine"] },
    ]
  }
  context    = "."
  dockerfile = file.dockerfile
  args       = { PYTHON = builds.python }
  tags = [
    for pair in setproduct(["3.13", "3.13.18"], file.suffixes) :
    "${REPOSITORY}:${pair[0]}${builds.tag}${pair[1]}"
  ]
}

target "3-14" {
  name = "3-14-${builds.name}-${file.name}"
  matrix = {
    builds = [
      { name = "both", python = "3.14.10", tag = "-both" },
      { name = "gil", python = "3.14.10+gil", tag = "" },
      { name = "t", python = "3.14.10t", tag = "t" },
    ]
    file = [
      { name = "trixie", dockerfile = "docker/3.14/trixie.Dockerfile", suffixes = ["", "-trixie"] },
      { name = "trixie-dev", dockerfile = "docker/3.14/trixie-dev.Dockerfile", suffixes = ["-dev", "-dev-trixie"] },
      { name = "trixie-tsan", dockerfile = "docker/3.14/trixie-tsan.Dockerfile", suffixes = ["-tsan", "-tsan-trixie"] },
      { name = "bookworm", dockerfile = "docker/3.14/bookworm.Dockerfile", suffixes = ["-bookworm"] },
      { name = "bookworm-dev", dockerfile = "docker/3.14/bookworm-dev.Dockerfile", suffixes = ["-dev-bookworm"] },
      { name = "bookworm-tsan", dockerfile = "docker/3.14/bookworm-tsan.Dockerfile", suffixes = ["-tsan-bookworm"] },
      { name = "alpine", dockerfile = "docker/3.14/alpine.Dockerfile", suffixes = ["-alpine"] },
      { name = "alpine-dev", dockerfile = "docker/3.14/alpine-dev.Dockerfile", suffixes = ["-dev-alpine"] },
    ]
  }
  context    = "."
  dockerfile = file.dockerfile
  args       = { PYTHON = builds.python }
  tags = [
    for pair in setproduct(["3.14", "3.14.10"], file.suffixes) :
    "${REPOSITORY}:${pair[0]}${builds.tag}${pair[1]}"
  ]
}

target "3-15" {
  name = "3-15-${builds.name}-${file.name}"
  matrix = {
    builds = [
      { name = "both", python = "3.15.2", tag = "-both" },
      { name = "gil", python = "3.15.2+gil", tag = "" },
      { name = "t", python = "3.15.2t", tag = "t" },
    ]
    file = [
      { name = "trixie", dockerfile = "docker/3.15/trixie.Dockerfile", suffixes = ["", "-trixie"] },
      { name = "trixie-dev", dockerfile = "docker/3.15/trixie-dev.Dockerfile", suffixes = ["-dev", "-dev-trixie"] },
      { name = "trixie-tsan", dockerfile = "docker/3.15/trixie-tsan.Dockerfile", suffixes = ["-tsan", "-tsan-trixie"] },
      { name = "bookworm", dockerfile = "docker/3.15/bookworm.Dockerfile", suffixes = ["-bookworm"] },
      { name = "bookworm-dev", dockerfile = "docker/3.15/bookworm-dev.Dockerfile", suffixes = ["-dev-bookworm"] },
      { name = "bookworm-tsan", dockerfile = "docker/3.15/bookworm-tsan.Dockerfile", suffixes = ["-tsan-bookworm"] },
      { name = "alpine", dockerfile = "docker/3.15/alpine.Dockerfile", suffixes = ["-alpine"] },
      { name = "alpine-dev", dockerfile = "docker/3.15/alpine-dev.Dockerfile", suffixes = ["-dev-alpine"] },
    ]
  }
  context    = "."
  dockerfile = file.dockerfile
  args       = { PYTHON = builds.python }
  tags = [
    for pair in setproduct(["3.15", "3.15.2"], file.suffixes) :
    "${REPOSITORY}:${pair[0]}${builds.tag}${pair[1]}"
  ]
}

