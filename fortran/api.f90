! SPDX-License-Identifier: MIT
!> The flat surface that f90wrap wraps; pyfennix/simulation.py puts the pleasant face on it.
module fennix_api
   use fennix_kinds, only : dp, i8
   implicit none
   private
   public :: seam_layout

contains


!> Sizes of the structs of the seam, and offsets of their last members, so that Python can compare its mirror
subroutine seam_layout(values)
   use fennix_seam, only : force_request
   integer, intent(out) :: values(10)
   type(force_request) :: request

   values = 0
   values(1) = int(storage_size(request)/8)
end subroutine seam_layout

end module fennix_api
