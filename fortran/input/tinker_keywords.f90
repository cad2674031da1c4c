! SPDX-License-Identifier: MIT
!> Tinker's keywords that are not ours: those without meaning for a neural network, and those not there yet.
module fennix_tinker_keywords
   implicit none
   private
   public :: is_meaningless, refusal_of

   !> No effect on a run with neural networks alone; an asterisk stands for any letters
   character(len=*), parameter :: meaningless(*) = [character(len=20) :: &
      & "parameters", "forcefield", "echo", "debug", "verboseforcestime", "verbosepmetime", &
      & "noversion", "overwrite", "save-cycle", "save-induced", "save-uind", "save-ustatic", "exit-pause", &
      & "dcdio", "pbcunwrap", "pbc-unwrap", "openmp-threads", "ewald", "ewald-*", "pme-*", "fft-package", &
      & "fft-*", "cutoff", "cutoffs", "*-cutoff", "*-taper", "*-shortcutoff", "neighbor-list", "nlupdate", &
      & "*-list", "dd-cutoff", "truncate", "shortheal", "radiusrule", "radiussize", "radiustype", &
      & "epsilonrule", "gausstype", "vdwtype", "vdwindex", "vdw-*", "vdw", "vdw14", "vdwpr", "vdwpair", "hbond", &
      & "chg-*", "charge", "dipole", "electric", "dielectric", "dielectric-*", "chgpen*", "chgtrn*", "chargepen", &
      & "mpole-*", "multipole", "penetration", "polarization", "polarize", "polar-*", "polarizable", "direct-*", &
      & "mutual-*", "induce-*", "intra-*", "d-equals-p", "u-equals-p", "pcg-*", "usolve-*", "polpred", &
      & "repuls*", "rep-*", "disp-*", "dispersion*", "bondtype", "bondunit", "bond-*", "angletype", "angleunit", &
      & "angle-*", "anglef*", "strbndunit", "ureyunit", "urey-*", "opbendtype", "opbendunit", "opbend-*", &
      & "opdistunit", "opdist-*", "impropunit", "imptorunit", "torsionunit", "pitorsunit", "strtorunit", &
      & "angtorunit", "tortorunit", "atom", "bond", "bond3", "bond4", "bond5", "angle", "angle3", "angle4", &
      & "angle5", "anglep", "strbnd", "ureybrad", "opbend", "opdist", "improper", "imptors", "torsion", "torsion4", &
      & "torsion5", "pitors", "strtors", "angtors", "tortors", "biotype", "piatom", "pibond", "piorbs*", "solvate", &
      & "solute", "a-expterm", "b-expterm", "c-expterm", "gamma-halgren", "delta-halgren", "*term", "*terms", &
      & "dinter", "tau-temperature", "tau-pressure", "collision", "compress", "volume-trial", "volume-move", &
      & "volume-scale", "frictionpiston", "masspiston", "aniso-pressure", "beeman-mixing", "degrees-freedom", &
      & "mlpot-cutoff", "mlpot-rfield", "ml-qligand", "ml-port", "ml-pos-buffer", "gc-stride", "maxiter", &
      & "nextiter", "fctmin", "stepmin", "stepmax", "angmax", "intmax", "cappa", "slopemax", "hguess", "lbfgs-*", &
      & "steepest-descent", "saddlepoint", "enforce-chirality", "archive-*", "fix-*", "lambda", "vlambda", "elambda"]

   !> They change what is simulated, so that leaving them out would be another run: keyword, then the reason
   character(len=*), parameter :: refused(2, 34) = reshape([character(len=64) :: &
      & "octahedron", "truncated octahedra are not there; give the triclinic cell", &
      & "dodecadron", "dodecahedra are not there; give the triclinic cell", &
      & "spacegroup", "crystal symmetry is not there", &
      & "rattle", "constraints are not there: every bond is flexible", &
      & "rattle-*", "constraints are not there: every bond is flexible", &
      & "active", "frozen atoms are not there yet", &
      & "active-*", "frozen atoms are not there yet", &
      & "inactive", "frozen atoms are not there yet", &
      & "group", "groups of atoms are not there yet", &
      & "group-*", "groups of atoms are not there yet", &
      & "ligand", "alchemical groups are not there yet", &
      & "mutate", "alchemical groups are not there yet", &
      & "lambdadyn", "alchemical groups are not there yet", &
      & "osrw", "alchemical groups are not there yet", &
      & "restrain-*", "restraints are not there yet", &
      & "sphere", "restraints are not there yet", &
      & "wall", "restraints are not there yet", &
      & "basin", "restraints are not there yet", &
      & "exfld", "external fields are not there yet", &
      & "external-field", "external fields are not there yet", &
      & "plumed", "collective variables are not there yet", &
      & "colvars", "collective variables are not there yet", &
      & "replicas", "replicas are not there yet", &
      & "cvsmd", "steered dynamics is not there yet", &
      & "cfsmd", "steered dynamics is not there yet", &
      & "smd*", "steered dynamics is not there yet", &
      & "freeze-*", "pressure coupling is not there yet", &
      & "mlatom", "networks act on all atoms here; there is no force field", &
      & "ani2x", "networks are chosen with ml-model", &
      & "ani1x", "networks are chosen with ml-model", &
      & "ani1ccx", "networks are chosen with ml-model", &
      & "polymer-cutoff", "infinite polymers are not there", &
      & "solvent", "implicit solvents are not there", &
      & "born-radius", "implicit solvents are not there"], [2, 34])

contains


!> True for a keyword of Tinker's that has no effect here
pure function is_meaningless(keyword)
   character(len=*), intent(in) :: keyword
   logical :: is_meaningless
   integer :: k

   is_meaningless = .true.
   do k = 1, size(meaningless)
      if (matches(keyword, trim(meaningless(k)))) return
   end do
   is_meaningless = .false.
end function is_meaningless


!> Why a keyword of Tinker's is refused, empty when it is not
pure function refusal_of(keyword) result(reason)
   character(len=*), intent(in) :: keyword
   character(len=:), allocatable :: reason
   integer :: k

   reason = ""
   do k = 1, size(refused, 2)
      if (matches(keyword, trim(refused(1, k)))) reason = trim(refused(2, k))
   end do
end function refusal_of


!> An asterisk at the beginning or end of the pattern stands for one letter or more
pure function matches(word, pattern)
   character(len=*), intent(in) :: word
   character(len=*), intent(in) :: pattern
   logical :: matches
   integer :: m

   m = len(pattern)
   if (pattern(m:m) == "*") then
      matches = len(word) >= m .and. index(word, pattern(1:m - 1)) == 1
   else if (pattern(1:1) == "*") then
      matches = len(word) >= m .and. index(word, pattern(2:m), back=.true.) == len(word) - m + 2
   else
      matches = word == pattern
   end if
end function matches

end module fennix_tinker_keywords
