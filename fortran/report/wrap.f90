! SPDX-License-Identifier: MIT
!> Folds positions into the cell centred at the origin, as Tinker does, for files; the engine never folds.
module fennix_wrap
   use fennix_kinds, only : dp, i4
   use fennix_error, only : error_type, fatal_error
   use fennix_cell, only : cell_type
   implicit none
   private
   public :: wrap_positions, check_orientation

contains


!> Atom by atom: fractional coordinates in [-1/2, 1/2), so that folded + matmul(vectors, image) is the position
pure subroutine wrap_positions(cell, position, folded, image)
   type(cell_type), intent(in) :: cell
   !> Unwrapped, Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Å, (3, n); a plain copy for an isolated system
   real(dp), intent(out) :: folded(:, :)
   !> Lattice vectors taken off, (3, n); zero for an isolated system
   integer(i4), intent(out) :: image(:, :)
   integer :: iat

   image = 0_i4
   folded = position
   if (.not. cell%periodic) return
   do iat = 1, size(position, 2)
      image(:, iat) = floor(matmul(cell%inverse, position(:, iat)) + 0.5_dp, i4)
      folded(:, iat) = position(:, iat) - matmul(cell%vectors, real(image(:, iat), dp))
   end do
end subroutine wrap_positions


!> Tinker's files hold lengths and angles only, so they can hold only cells in Tinker's orientation
subroutine check_orientation(cell, error)
   type(cell_type), intent(in) :: cell
   type(error_type), allocatable, intent(out) :: error
   !> Components that must vanish, relative to the largest
   real(dp), parameter :: tolerance = 1.0e-9_dp

   if (max(abs(cell%vectors(2, 1)), abs(cell%vectors(3, 1)), abs(cell%vectors(3, 2))) &
      & <= tolerance*maxval(abs(cell%vectors))) return
   call fatal_error(error, "Tinker's .arc and .dyn need a cell with a along x and b in the xy plane; turn the " &
      & // "system, or write .h5 only")
end subroutine check_orientation

end module fennix_wrap
