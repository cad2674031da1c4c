! SPDX-License-Identifier: MIT
!> Folds positions into the cell centred at the origin, as Tinker does, for files; the engine never folds.
module fennix_wrap
   use fennix_kinds, only : dp, i4
   use fennix_cell, only : cell_type
   implicit none
   private
   public :: wrap_positions

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

end module fennix_wrap
